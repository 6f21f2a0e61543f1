"""Muon for matrices and AdamW for the rest, on float32 masters of bfloat16 weights.

Muon: momentum, then the nearest orthogonal matrix by five Newton-Schulz steps (Jordan et al., 2024), scaled by
0.2 * sqrt(longer side) so that one learning rate serves both (Liu et al., "Muon is scalable for LLM training", 2025).
"""

import torch


def orthogonalize(g):
    """g: [n, rows, columns] -> the same shape, singular values near 1."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.to(torch.bfloat16)
    transposed = x.shape[-2] > x.shape[-1]
    if transposed:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        s = x @ x.mT
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.mT if transposed else x).float()


class Optimizer:
    """`matrices` and `others` are lists of model parameters, of any float type; masters are float32."""

    def __init__(self, matrices, others, weight_decay=0.1, momentum=0.95, betas=(0.9, 0.95)):
        self.weight_decay, self.momentum, self.betas = weight_decay, momentum, betas
        self.matrices, self.others = matrices, others
        zero = lambda p: torch.zeros_like(p, dtype=torch.float32)
        self.state = {
            "masters": [p.detach().float().clone() for p in matrices + others],
            "velocity": [zero(p) for p in matrices],
            "mean": [zero(p) for p in others],
            "square": [zero(p) for p in others],
            "steps": 0,
        }

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state
        self.publish()

    def publish(self):
        """Rounds the masters into the model's weights."""
        with torch.no_grad():
            for p, master in zip(self.matrices + self.others, self.state["masters"]):
                p.copy_(master)

    @torch.no_grad()
    def step(self, rate):
        s = self.state
        s["steps"] += 1
        norm = torch.stack([p.grad.float().norm() for p in self.matrices + self.others]).norm()
        clip = min(1.0, 1.0 / (norm.item() + 1e-6))
        shapes = {}
        for k, p in enumerate(self.matrices):
            g = p.grad.float() * clip
            v = s["velocity"][k]
            v.lerp_(g, 1 - self.momentum)
            shapes.setdefault(tuple(p.shape[-2:]), []).append((k, g.lerp(v, self.momentum)))
        for shape, list_ in shapes.items():
            stacked = torch.cat([g.reshape(-1, *shape) for _, g in list_])
            update = orthogonalize(stacked) * (0.2 * max(shape) ** 0.5)
            at = 0
            for k, g in list_:
                n = g.numel() // (shape[0] * shape[1])
                master = s["masters"][k]
                master.mul_(1 - rate * self.weight_decay).sub_(update[at:at + n].view_as(master), alpha=rate)
                at += n
        b1, b2 = self.betas
        for k, p in enumerate(self.others):
            g = p.grad.float() * clip
            m, q = s["mean"][k], s["square"][k]
            m.lerp_(g, 1 - b1)
            q.lerp_(g * g, 1 - b2)
            m_hat, q_hat = m / (1 - b1 ** s["steps"]), q / (1 - b2 ** s["steps"])
            s["masters"][len(self.matrices) + k].sub_(m_hat / (q_hat.sqrt() + 1e-8), alpha=rate)
        for p in self.matrices + self.others:
            p.grad = None
        self.publish()
        return norm.item()
