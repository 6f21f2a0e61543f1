# Agents per budget, FP16 against Q4
# Draws F-capacity.svg, F-capacity.pdf and F-capacity.png from F-capacity.tsv: run `gnuplot F-capacity.gp` in this folder,
# or `gnuplot -e "formats='svg'" F-capacity.gp` for one of them.
if (!exists("formats")) formats = "svg pdf png"
set encoding utf8
set datafile separator "\t"
set datafile columnheaders
set datafile missing NaN
of(p, scheme) = column("panel") == p && strcol("scheme") eq scheme
at(p, scheme, measured) = of(p, scheme) && column("measured") == measured
width = 0.400
do for [format in formats] {
  if (format eq "svg") { set terminal svg noenhanced size 937,897 font "Helvetica,11" \
    linewidth 1.25 background "#ffffff" }
  if (format eq "pdf") { set terminal pdfcairo noenhanced size 9.76in,9.34in font "Helvetica,12" \
    linewidth 0.85 pointscale 0.8 }
  if (format eq "png") { set terminal pngcairo noenhanced size 1952,1868 font "Helvetica,8" \
    fontscale 2.3 linewidth 2.7 pointscale 2.7 background "#ffffff" }
  set output "F-capacity.".format
  set border 3 linecolor rgb "#303030" linewidth 0.8
  set tics nomirror out scale 0.5 textcolor rgb "#303030"
  set grid ytics linecolor rgb "#DDDDDD" linewidth 0.6 linetype 1
  set errorbars 0.6 linewidth 1
  unset key
  set multiplot
  set object rectangle from screen 0.2349,0.9770 to screen 0.2534,0.9888 fillcolor rgb "#8C8C8C" fillstyle solid noborder
  set label "FP16" at screen 0.2605,0.9829 left textcolor rgb "#303030"
  set object rectangle from screen 0.3173,0.9770 to screen 0.3357,0.9888 fillcolor rgb "#0072B2" fillstyle solid noborder
  set label "affine-q4-g64" at screen 0.3429,0.9829 left textcolor rgb "#303030"
  set object rectangle from screen 0.4536,0.9770 to screen 0.4721,0.9888 fillcolor rgb "#8CBFDC" fillstyle solid noborder
  set label "pale: computed, not allocated" at screen 0.4792,0.9829 left textcolor rgb "#303030"
  set arrow from screen 0.6828,0.9829 to screen 0.7043,0.9829 nohead linecolor rgb "#303030" linewidth 2
  set label "the paper's" at screen 0.7114,0.9829 left textcolor rgb "#303030"
  set lmargin at screen 0.0973
  set rmargin at screen 0.3484
  set bmargin at screen 0.7045
  set tmargin at screen 0.9347
  set title "Gemma 3 12B, 10.2 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  set ylabel "Agents" offset 0.4,0
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:110.4] \
    'F-capacity.tsv' using (at(0, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(0, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(0, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(0, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(0, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(0, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.4139
  set rmargin at screen 0.6650
  set bmargin at screen 0.7045
  set tmargin at screen 0.9347
  set title "Llama 3.1 8B, 10.2 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:333.5] \
    'F-capacity.tsv' using (at(1, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(1, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(1, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(1, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(1, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(1, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.7305
  set rmargin at screen 0.9816
  set bmargin at screen 0.7045
  set tmargin at screen 0.9347
  set title "DeepSeek-Coder-V2-Lite, 10.2 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:157.5] \
    'F-capacity.tsv' using (at(2, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(2, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(2, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(2, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(2, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(2, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.0973
  set rmargin at screen 0.3484
  set bmargin at screen 0.3822
  set tmargin at screen 0.6124
  set title "Gemma 3 12B, 10200 MiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  set ylabel "Agents" offset 0.4,0
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:108.1] \
    'F-capacity.tsv' using (at(3, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(3, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(3, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(3, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(3, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(3, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.4139
  set rmargin at screen 0.6650
  set bmargin at screen 0.3822
  set tmargin at screen 0.6124
  set title "Llama 3.1 8B, 10200 MiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:325.4] \
    'F-capacity.tsv' using (at(4, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(4, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(4, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(4, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(4, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(4, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.7305
  set rmargin at screen 0.9816
  set bmargin at screen 0.3822
  set tmargin at screen 0.6124
  set title "DeepSeek-Coder-V2-Lite, 10200 MiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:154.1] \
    'F-capacity.tsv' using (at(5, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(5, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(5, "fp16") ? column("slot")-0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle, \
    'F-capacity.tsv' using (at(5, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(5, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (of(5, "affine-q4-g64") ? column("slot")+0.200-width*0.46 : NaN):"agents_paper":(width*0.92):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 2 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.0973
  set rmargin at screen 0.3484
  set bmargin at screen 0.0600
  set tmargin at screen 0.2901
  set title "Gemma 3 12B, 4 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  set ylabel "Agents" offset 0.4,0
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:42.5] \
    'F-capacity.tsv' using (at(6, "fp16", 1) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8C8C8C" notitle, \
    'F-capacity.tsv' using (at(6, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(6, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (at(6, "affine-q4-g64", 1) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#0072B2" notitle, \
    'F-capacity.tsv' using (at(6, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(6, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.4139
  set rmargin at screen 0.6650
  set bmargin at screen 0.0600
  set tmargin at screen 0.2901
  set title "Llama 3.1 8B, 4 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:129.9] \
    'F-capacity.tsv' using (at(7, "fp16", 1) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8C8C8C" notitle, \
    'F-capacity.tsv' using (at(7, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(7, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (at(7, "affine-q4-g64", 1) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#0072B2" notitle, \
    'F-capacity.tsv' using (at(7, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(7, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.7305
  set rmargin at screen 0.9816
  set bmargin at screen 0.0600
  set tmargin at screen 0.2901
  set title "DeepSeek-Coder-V2-Lite, 4 GiB" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "4K" 1, "8K" 2, "16K" 3, "32K" 4) scale 0
  plot [-0.6:4.6] [0:60.9] \
    'F-capacity.tsv' using (at(8, "fp16", 1) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8C8C8C" notitle, \
    'F-capacity.tsv' using (at(8, "fp16", 0) ? column("slot")-0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#CBCBCB" notitle, \
    'F-capacity.tsv' using (of(8, "fp16") ? column("slot")-0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle, \
    'F-capacity.tsv' using (at(8, "affine-q4-g64", 1) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#0072B2" notitle, \
    'F-capacity.tsv' using (at(8, "affine-q4-g64", 0) ? column("slot")+0.200 : NaN):"agents":(width*0.92) \
      with boxes fillstyle solid noborder fillcolor rgb "#8CBFDC" notitle, \
    'F-capacity.tsv' using (of(8, "affine-q4-g64") ? column("slot")+0.200 : NaN):"label_at":(sprintf("%d", column("agents"))) \
      with labels offset 0,0.65 textcolor rgb "#303030" notitle
  unset multiplot
  unset label
  unset arrow
  unset object
  set output
}
