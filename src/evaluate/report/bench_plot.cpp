#include "evaluate/report/bench_plot.h"

#include <algorithm>

#include "base/picture.h"
#include "base/text.h"

namespace asap::evaluate {
namespace {

constexpr const char* kLoop = "sinkhorn_exp";
constexpr double kMostTimes = 4;  // slower forms would press the others to the axis

/// Lines "N time MiB" of one form; the time over that of our own loop, NaN without it.
std::string data_block(const BenchResult& result, const std::string& form) {
  std::string block = "$" + form + " << END_OF_DATA\n";
  for (const BenchRow& row : result.rows) {
    const FormResult* found = row.find(form);
    if (!found || !found->skipped.empty()) continue;
    const FormResult* loop = row.find(kLoop);
    const bool known = loop && loop->skipped.empty();
    block += std::to_string(row.tokens) + " " +
             (known ? base::format_number(found->milliseconds / loop->milliseconds) : "NaN") + " " +
             base::format_number(static_cast<double>(found->memory_bytes) / (1 << 20)) + "\n";
  }
  return block + "END_OF_DATA\n";
}

/// One hue for each family, shades within it.
std::string colour_of(const std::string& form, int index_in_family) {
  static const std::vector<std::string> sinkhorn = {"#a63603", "#d94801", "#f16913", "#fdae6b",
                                                    "#7f2704"};
  static const std::vector<std::string> compiled = {"#08306b", "#2171b5", "#4292c6", "#6baed6",
                                                    "#08519c"};
  static const std::vector<std::string> others = {"#444444", "#999999", "#238b45", "#74c476"};
  const auto& shades = is_sinkhorn_form(form)   ? sinkhorn
                       : is_compiled_form(form) ? compiled
                                                : others;
  return shades[static_cast<std::size_t>(index_in_family) % shades.size()];
}

std::string panel(const std::vector<std::string>& forms, const std::string& title, int column,
                  const std::string& key) {
  std::string script = "set title " + base::gnuplot_quoted(title) + "\n" + key + "\nplot ";
  int sinkhorn = 0, compiled = 0, others = 0;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const bool strong = is_compiled_form(forms[i]);
    int& in_family = strong ? compiled : is_sinkhorn_form(forms[i]) ? sinkhorn : others;
    script += (i > 0 ? ", $" : "$") + forms[i] + " using 1:" + std::to_string(column) +
              " with linespoints lc rgb '" + colour_of(forms[i], in_family++) + "' pt " +
              std::to_string(i % 12 + 4) + " ps 0.6 lw " + (strong ? "2.6" : "1.3") + " title " +
              base::gnuplot_quoted(forms[i]) + " noenhanced";
  }
  return script + "\n";
}

}  // namespace

bool draw_bench(const BenchResult& result, const std::vector<std::string>& forms,
                const std::filesystem::path& svg) {
  const auto has_loop = [](const BenchRow& row) {
    const FormResult* loop = row.find(kLoop);
    return loop && loop->skipped.empty();
  };
  if (result.rows.size() < 2 || !std::ranges::any_of(result.rows, has_loop)) return false;
  std::string data;
  for (const std::string& form : forms) data += data_block(result, form);
  const std::string plot =
      "set multiplot\nset logscale x 2\n"
      "set grid lc rgb '#dddddd'\nset border lc rgb '#444444'\nset xlabel 'N (tokens)'\n"
      "set yrange [0:" +
      base::format_number(kMostTimes) + "]\n" +
      panel(forms, std::string("time / time of ") + kLoop, 2,
            "unset key\nset origin 0, 0\nset size 0.42, 1") +
      "set yrange [*:*]\nset logscale y\nset format y '10^{%T}'\n" +
      panel(forms, "MiB beyond inputs and outputs", 3,
            "set key outside right center Left reverse samplen 2\nset origin 0.42, 0\n"
            "set size 0.58, 1") +
      "unset multiplot\n";
  return base::draw_pictures({{svg, "svg size 1160, 520 font 'sans,13' background rgb 'white'"}},
                             data, plot);
}

}  // namespace asap::evaluate
