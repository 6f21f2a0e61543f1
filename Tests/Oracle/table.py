"""What was compared, as lines of a table."""

from dataclasses import dataclass

import torch


@dataclass
class Check:
    subject: str
    way: str
    """Relative errors, one for each position."""
    errors: torch.Tensor
    bound: float
    passed: bool
    remark: str

    def __str__(self) -> str:
        return (f"{self.subject:34} {self.way:19} median {self.errors.median():8.1e}  worst {self.errors.max():8.1e}"
                f"  bound {self.bound:.0e}  {'ok' if self.passed else 'WRONG'} {self.remark}")
