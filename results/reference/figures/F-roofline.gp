# Prefill and decode under the roofline
# Draws F-roofline.svg, F-roofline.pdf and F-roofline.png from F-roofline.tsv: run `gnuplot F-roofline.gp` in this folder,
# or `gnuplot -e "formats='svg'" F-roofline.gp` for one of them.
if (!exists("formats")) formats = "svg pdf png"
set encoding utf8
set datafile separator "\t"
set datafile columnheaders
set datafile missing NaN
of(name) = strcol("series") eq name
do for [format in formats] {
  if (format eq "svg") { set terminal svg noenhanced size 512,382 font "Helvetica,11" \
    linewidth 1.25 background "#ffffff" }
  if (format eq "pdf") { set terminal pdfcairo noenhanced size 5.33in,3.98in font "Helvetica,12" \
    linewidth 0.85 pointscale 0.8 }
  if (format eq "png") { set terminal pngcairo noenhanced size 1066,796 font "Helvetica,8" \
    fontscale 2.3 linewidth 2.7 pointscale 2.7 background "#ffffff" }
  set output "F-roofline.".format
  set border 3 linecolor rgb "#303030" linewidth 0.8
  set tics nomirror out scale 0.5 textcolor rgb "#303030"
  set grid ytics linecolor rgb "#DDDDDD" linewidth 0.6 linetype 1
  set errorbars 0.6 linewidth 1
  unset key
  set multiplot
  set arrow from screen 0.1224,0.9598 to screen 0.1787,0.9598 nohead linecolor rgb "#0072B2" linewidth 1.4
  set label "" at screen 0.1505,0.9598 point pointtype 7 pointsize 0.55 linecolor rgb "#0072B2"
  set label "llama3.1-8b" at screen 0.1918,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.3500,0.9598 to screen 0.4063,0.9598 nohead linecolor rgb "#D55E00" linewidth 1.4
  set label "" at screen 0.3782,0.9598 point pointtype 7 pointsize 0.55 linecolor rgb "#D55E00"
  set label "gemma3-12b" at screen 0.4195,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.5667,0.9598 to screen 0.6230,0.9598 nohead linecolor rgb "#009E73" linewidth 1.4
  set label "" at screen 0.5949,0.9598 point pointtype 7 pointsize 0.55 linecolor rgb "#009E73"
  set label "deepseek-coder-v2-lite" at screen 0.6362,0.9598 left textcolor rgb "#303030"
  set arrow from screen 0.3061,0.9070 to screen 0.3624,0.9070 nohead linecolor rgb "#303030" linewidth 1.4
  set label "" at screen 0.3343,0.9070 point pointtype 6 pointsize 0.55 linecolor rgb "#303030"
  set label "filled: prefill, open: decode" at screen 0.3756,0.9070 left textcolor rgb "#303030"
  set lmargin at screen 0.1782
  set rmargin at screen 0.9662
  set bmargin at screen 0.1407
  set tmargin at screen 0.7940
  set title "" 
  set xlabel "Operations per byte"
  set ylabel "GOP/s" offset 0.4,0
  set logscale xy 10
  set xtics auto
  set format xy "%.0s%c"
  set label "f32 fma, 432 GOP/s" at 90909.0909090909,431.95057377086323 right offset 0,0.5 textcolor rgb "#303030"
  set label "int8 dot, 1502 GOP/s" at 90909.0909090909,1501.559052352211 right offset 0,0.5 textcolor rgb "#303030"
  set label "bf16 tiles, 6999 GOP/s" at 90909.0909090909,6999.031268031401 right offset 0,0.5 textcolor rgb "#303030"
  plot [1.0:100000.0] [10.0:10000.0] \
    (x*34.16285754665576 < 431.95057377086323 ? x*34.16285754665576 : 431.95057377086323) with lines linecolor rgb "#8C8C8C" linewidth 1.5 dashtype 1 notitle, \
    (x*34.16285754665576 < 1501.559052352211 ? x*34.16285754665576 : 1501.559052352211) with lines linecolor rgb "#8C8C8C" linewidth 1.5 dashtype 2 notitle, \
    (x*34.16285754665576 < 6999.031268031401 ? x*34.16285754665576 : 6999.031268031401) with lines linecolor rgb "#8C8C8C" linewidth 1.5 dashtype 3 notitle, \
    'F-roofline.tsv' using (of("llama3.1-8b prefill") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#0072B2" pointtype 7 pointsize 0.8 linewidth 1 notitle, \
    'F-roofline.tsv' using (of("llama3.1-8b decode") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#0072B2" pointtype 6 pointsize 0.8 linewidth 1 notitle, \
    'F-roofline.tsv' using (of("gemma3-12b prefill") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#D55E00" pointtype 7 pointsize 0.8 linewidth 1 notitle, \
    'F-roofline.tsv' using (of("gemma3-12b decode") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#D55E00" pointtype 6 pointsize 0.8 linewidth 1 notitle, \
    'F-roofline.tsv' using (of("deepseek-coder-v2-lite prefill") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#009E73" pointtype 7 pointsize 0.8 linewidth 1 notitle, \
    'F-roofline.tsv' using (of("deepseek-coder-v2-lite decode") ? column("operations_per_byte") : NaN):"gop_per_second":"low":"high" \
      with yerrorbars linecolor rgb "#009E73" pointtype 6 pointsize 0.8 linewidth 1 notitle
  unset multiplot
  unset label
  unset arrow
  unset object
  set output
}
