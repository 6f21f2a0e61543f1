# Figure 2. Time to first token against context, corrected protocol
# Draws F2-corrected.svg, F2-corrected.pdf and F2-corrected.png from F2-corrected.tsv: run `gnuplot F2-corrected.gp` in this folder,
# or `gnuplot -e "formats='svg'" F2-corrected.gp` for one of them.
if (!exists("formats")) formats = "svg pdf png"
set encoding utf8
set datafile separator "\t"
set datafile columnheaders
set datafile missing NaN
set style line 1 linecolor rgb "#0072B2" linewidth 1.4 pointtype 7 pointsize 0.55
set style line 11 linecolor rgb "#8CBFDC" linewidth 1.1 dashtype (6,4) pointtype 6 pointsize 0.45
set style line 2 linecolor rgb "#D55E00" linewidth 1.4 pointtype 5 pointsize 0.55
set style line 12 linecolor rgb "#EBB68C" linewidth 1.1 dashtype (6,4) pointtype 4 pointsize 0.45
set style line 3 linecolor rgb "#E69F00" linewidth 1.4 pointtype 9 pointsize 0.55
set style line 13 linecolor rgb "#F3D38C" linewidth 1.1 dashtype (6,4) pointtype 8 pointsize 0.45
set style line 4 linecolor rgb "#CC79A7" linewidth 1.4 pointtype 11 pointsize 0.55
set style line 14 linecolor rgb "#E7C2D7" linewidth 1.1 dashtype (6,4) pointtype 10 pointsize 0.45
set style line 5 linecolor rgb "#009E73" linewidth 1.4 pointtype 13 pointsize 0.55
set style line 15 linecolor rgb "#8CD3BF" linewidth 1.1 dashtype (6,4) pointtype 12 pointsize 0.45
at(p, source, state) = column("panel") == p && strcol("source") eq source && strcol("state") eq state
do for [format in formats] {
  if (format eq "svg") { set terminal svg noenhanced size 512,382 font "Helvetica,11" \
    linewidth 1.25 background "#ffffff" }
  if (format eq "pdf") { set terminal pdfcairo noenhanced size 5.33in,3.98in font "Helvetica,12" \
    linewidth 0.85 pointscale 0.8 }
  if (format eq "png") { set terminal pngcairo noenhanced size 1066,796 font "Helvetica,8" \
    fontscale 2.3 linewidth 2.7 pointscale 2.7 background "#ffffff" }
  set output "F2-corrected.".format
  set border 3 linecolor rgb "#303030" linewidth 0.8
  set tics nomirror out scale 0.5 textcolor rgb "#303030"
  set grid ytics linecolor rgb "#DDDDDD" linewidth 0.6 linetype 1
  set errorbars 0.6 linewidth 1
  unset key
  set multiplot
  set arrow from screen 0.1498,0.9598 to screen 0.2061,0.9598 nohead linecolor rgb "#0072B2" linewidth 1.4
  set label "" at screen 0.1780,0.9598 point pointtype 7 pointsize 0.55 linecolor rgb "#0072B2"
  set label "cold" at screen 0.2192,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.3007,0.9598 to screen 0.3569,0.9598 nohead linecolor rgb "#D55E00" linewidth 1.4
  set label "" at screen 0.3288,0.9598 point pointtype 5 pointsize 0.55 linecolor rgb "#D55E00"
  set label "warm, from disk" at screen 0.3701,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.5722,0.9598 to screen 0.6285,0.9598 nohead linecolor rgb "#E69F00" linewidth 1.4
  set label "" at screen 0.6004,0.9598 point pointtype 9 pointsize 0.55 linecolor rgb "#E69F00"
  set label "warm, in page cache" at screen 0.6417,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.0565,0.9070 to screen 0.1128,0.9070 nohead linecolor rgb "#CC79A7" linewidth 1.4
  set label "" at screen 0.0847,0.9070 point pointtype 11 pointsize 0.55 linecolor rgb "#CC79A7"
  set label "hot, same prompt" at screen 0.1259,0.9070 left textcolor rgb "#303030"
  set arrow from screen 0.3391,0.9070 to screen 0.3954,0.9070 nohead linecolor rgb "#009E73" linewidth 1.4
  set label "" at screen 0.3672,0.9070 point pointtype 13 pointsize 0.55 linecolor rgb "#009E73"
  set label "hot, next turn" at screen 0.4085,0.9070 left textcolor rgb "#303030"
  set arrow from screen 0.5997,0.9070 to screen 0.6560,0.9070 nohead linecolor rgb "#8C8C8C" linewidth 1.4 dashtype (6,4)
  set label "the paper's, on an M4 Pro" at screen 0.6691,0.9070 left textcolor rgb "#303030"
  set lmargin at screen 0.1782
  set rmargin at screen 0.9662
  set bmargin at screen 0.1407
  set tmargin at screen 0.7940
  set title "llama3.2-1b" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  set ylabel "Time to first token" offset 0.4,0
  set logscale x 2
  set logscale y 10
  set xtics ("1K" 1024, "2K" 2048, "4K" 4096, "8K" 8192, "16K" 16384)
  set ytics ("10 µs" 1e-5, "100 µs" 1e-4, "1 ms" 1e-3, "10 ms" 1e-2, "100 ms" 0.1, "1 s" 1, "10 s" 10, \
    "100 s" 100, "1000 s" 1000)
  plot [788:21299] [0.0158:76.2] \
    'F2-corrected.tsv' using (at(0, "paper", "cold") ? column("context_tokens") : NaN):"ttft_s" \
      with linespoints linestyle 11 notitle, \
    'F2-corrected.tsv' using (at(0, "paper", "warm") ? column("context_tokens") : NaN):"ttft_s" \
      with linespoints linestyle 12 notitle, \
    'F2-corrected.tsv' using (at(0, "paper", "hot") ? column("context_tokens") : NaN):"ttft_s" \
      with linespoints linestyle 15 notitle, \
    'F2-corrected.tsv' using (at(0, "here", "cold") ? column("context_tokens") : NaN):"ttft_s":"ttft_low_s":"ttft_high_s" \
      with yerrorlines linestyle 1 notitle, \
    'F2-corrected.tsv' using (at(0, "here", "warm exact, dropped") ? column("context_tokens") : NaN):"ttft_s":"ttft_low_s":"ttft_high_s" \
      with yerrorlines linestyle 2 notitle, \
    'F2-corrected.tsv' using (at(0, "here", "warm exact, resident") ? column("context_tokens") : NaN):"ttft_s":"ttft_low_s":"ttft_high_s" \
      with yerrorlines linestyle 3 notitle, \
    'F2-corrected.tsv' using (at(0, "here", "hot exact") ? column("context_tokens") : NaN):"ttft_s":"ttft_low_s":"ttft_high_s" \
      with yerrorlines linestyle 4 notitle, \
    'F2-corrected.tsv' using (at(0, "here", "hot extend") ? column("context_tokens") : NaN):"ttft_s":"ttft_low_s":"ttft_high_s" \
      with yerrorlines linestyle 5 notitle
  unset multiplot
  unset label
  unset arrow
  unset object
  set output
}
