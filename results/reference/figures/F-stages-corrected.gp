# Warm time to first token by stage, corrected protocol
# Draws F-stages-corrected.svg, F-stages-corrected.pdf and F-stages-corrected.png from F-stages-corrected.tsv: run `gnuplot F-stages-corrected.gp` in this folder,
# or `gnuplot -e "formats='svg'" F-stages-corrected.gp` for one of them.
if (!exists("formats")) formats = "svg pdf png"
set encoding utf8
set datafile separator "\t"
set datafile columnheaders
set datafile missing NaN
unit = 1000  # ms in a second
at(p, stage) = column("panel") == p && strcol("stage") eq stage
do for [format in formats] {
  if (format eq "svg") { set terminal svg noenhanced size 640,339 font "Helvetica,11" \
    linewidth 1.25 background "#ffffff" }
  if (format eq "pdf") { set terminal pdfcairo noenhanced size 6.67in,3.53in font "Helvetica,12" \
    linewidth 0.85 pointscale 0.8 }
  if (format eq "png") { set terminal pngcairo noenhanced size 1334,706 font "Helvetica,8" \
    fontscale 2.3 linewidth 2.7 pointscale 2.7 background "#ffffff" }
  set output "F-stages-corrected.".format
  set border 3 linecolor rgb "#303030" linewidth 0.8
  set tics nomirror out scale 0.5 textcolor rgb "#303030"
  set grid ytics linecolor rgb "#DDDDDD" linewidth 0.6 linetype 1
  set errorbars 0.6 linewidth 1
  unset key
  set multiplot
  set object rectangle from screen 0.0497,0.9391 to screen 0.0767,0.9703 fillcolor rgb "#CC79A7" fillstyle solid noborder
  set label "open" at screen 0.0872,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.1702,0.9391 to screen 0.1972,0.9703 fillcolor rgb "#0072B2" fillstyle solid noborder
  set label "read" at screen 0.2077,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.2908,0.9391 to screen 0.3178,0.9703 fillcolor rgb "#56B4E9" fillstyle solid noborder
  set label "verify" at screen 0.3283,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.4289,0.9391 to screen 0.4558,0.9703 fillcolor rgb "#009E73" fillstyle solid noborder
  set label "place" at screen 0.4663,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.5582,0.9391 to screen 0.5852,0.9703 fillcolor rgb "#E69F00" fillstyle solid noborder
  set label "first forward" at screen 0.5957,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.7576,0.9391 to screen 0.7846,0.9703 fillcolor rgb "#D55E00" fillstyle solid noborder
  set label "sample" at screen 0.7951,0.9547 left textcolor rgb "#303030"
  set object rectangle from screen 0.8957,0.9391 to screen 0.9227,0.9703 fillcolor rgb "#C4C4C4" fillstyle solid noborder
  set label "rest" at screen 0.9332,0.9547 left textcolor rgb "#303030"
  set arrow from screen 0.4200,0.8952 to screen 0.4515,0.8952 nohead linecolor rgb "#303030" linewidth 2
  set label "one decode step" at screen 0.4620,0.8952 left textcolor rgb "#303030"
  set lmargin at screen 0.1424
  set rmargin at screen 0.5097
  set bmargin at screen 0.1586
  set tmargin at screen 0.7677
  set title "llama3.2-1b, pages dropped" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  set ylabel "Warm time to first token (ms)" offset 0.4,0
  set xtics ("1K" 0, "2K" 1, "4K" 2, "8K" 3, "16K" 4) scale 0
  plot [-0.6:4.6] [0:167] \
    'F-stages-corrected.tsv' using (at(0, "open") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#CC79A7" notitle, \
    'F-stages-corrected.tsv' using (at(0, "read") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#0072B2" notitle, \
    'F-stages-corrected.tsv' using (at(0, "verify") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#56B4E9" notitle, \
    'F-stages-corrected.tsv' using (at(0, "place") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#009E73" notitle, \
    'F-stages-corrected.tsv' using (at(0, "first forward") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#E69F00" notitle, \
    'F-stages-corrected.tsv' using (at(0, "sample") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#D55E00" notitle, \
    'F-stages-corrected.tsv' using (at(0, "rest") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#C4C4C4" notitle, \
    'F-stages-corrected.tsv' using (at(0, "total") ? column("slot") : NaN):(column("to_seconds")*unit):(sprintf("%.3g", column("to_seconds")*unit)) \
      with labels offset 0,0.55 textcolor rgb "#303030" notitle, \
    'F-stages-corrected.tsv' using (at(0, "total") ? column("slot")-0.44 : NaN):(column("decode_step_seconds")*unit):(0.88):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 1.6 notitle
  unset label
  unset arrow
  unset object
  set lmargin at screen 0.6057
  set rmargin at screen 0.9730
  set bmargin at screen 0.1586
  set tmargin at screen 0.7677
  set title "llama3.2-1b, pages resident" offset 0,-0.4
  set xlabel "Context (tokens)" offset 0,0.3
  unset ylabel
  set xtics ("1K" 0, "2K" 1, "4K" 2, "8K" 3, "16K" 4) scale 0
  plot [-0.6:4.6] [0:167] \
    'F-stages-corrected.tsv' using (at(1, "open") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#CC79A7" notitle, \
    'F-stages-corrected.tsv' using (at(1, "read") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#0072B2" notitle, \
    'F-stages-corrected.tsv' using (at(1, "verify") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#56B4E9" notitle, \
    'F-stages-corrected.tsv' using (at(1, "place") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#009E73" notitle, \
    'F-stages-corrected.tsv' using (at(1, "first forward") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#E69F00" notitle, \
    'F-stages-corrected.tsv' using (at(1, "sample") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#D55E00" notitle, \
    'F-stages-corrected.tsv' using (at(1, "rest") ? column("slot") : NaN):(column("to_seconds")*unit):(column("slot")-0.36):(column("slot")+0.36):(column("from_seconds")*unit):(column("to_seconds")*unit) \
      with boxxyerror fillstyle solid noborder fillcolor rgb "#C4C4C4" notitle, \
    'F-stages-corrected.tsv' using (at(1, "total") ? column("slot") : NaN):(column("to_seconds")*unit):(sprintf("%.3g", column("to_seconds")*unit)) \
      with labels offset 0,0.55 textcolor rgb "#303030" notitle, \
    'F-stages-corrected.tsv' using (at(1, "total") ? column("slot")-0.44 : NaN):(column("decode_step_seconds")*unit):(0.88):(0) \
      with vectors nohead linecolor rgb "#303030" linewidth 1.6 notitle
  unset multiplot
  unset label
  unset arrow
  unset object
  set output
}
