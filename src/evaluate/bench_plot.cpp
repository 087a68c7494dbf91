#include "evaluate/bench_plot.h"

#include "base/gnuplot.h"
#include "base/text.h"

namespace asap {
namespace {

/// Lines "N milliseconds MiB" of one form.
std::string data_block(const BenchResult& result, const std::string& form) {
  std::string block = "$" + form + " << END_OF_DATA\n";
  for (const BenchRow& row : result.rows) {
    const FormResult* found = row.find(form);
    if (!found || !found->skipped.empty()) continue;
    block += std::to_string(row.tokens) + " " + format_number(found->milliseconds) + " " +
             format_number(static_cast<double>(found->memory_bytes) / (1 << 20)) + "\n";
  }
  return block + "END_OF_DATA\n";
}

std::string panel(const std::vector<std::string>& forms, const std::string& title, int column,
                  const std::string& key) {
  std::string script = "set title " + gnuplot_quoted(title) + "\n" + key + "\nplot ";
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const bool strong = is_compiled_form(forms[i]);
    script += (i > 0 ? ", $" : "$") + forms[i] + " using 1:" + std::to_string(column) +
              " with linespoints lt " + std::to_string(i + 1) + " pt " + std::to_string(i + 4) +
              " ps 0.6 lw " + (strong ? "2.6" : "1.3") + " title " + gnuplot_quoted(forms[i]) +
              " noenhanced";
  }
  return script + "\n";
}

}  // namespace

bool draw_bench(const BenchResult& result, const std::vector<std::string>& forms,
                const std::filesystem::path& svg) {
  if (result.rows.size() < 2) return false;
  const std::filesystem::path part = svg.string() + ".part";
  std::string script;
  for (const std::string& form : forms) script += data_block(result, form);
  script +=
      "set terminal svg size 1000, 520 font 'sans,13' background rgb 'white'\n"
      "set output " +
      gnuplot_quoted(part.string()) +
      "\nset multiplot layout 1, 2\nset logscale xy\nset logscale x 2\n"
      "set grid lc rgb '#dddddd'\nset border lc rgb '#444444'\nset xlabel 'N (tokens)'\n"
      "set format y '10^{%T}'\n";
  script += panel(forms, "milliseconds per head", 2, "set key top left Left reverse samplen 2");
  script += panel(forms, "MiB beyond inputs and outputs", 3, "unset key");
  script += "unset multiplot\nunset output\n";
  const bool drawn = run_gnuplot(script) && std::filesystem::exists(part);
  std::error_code ignored;
  if (drawn)
    std::filesystem::rename(part, svg);
  else
    std::filesystem::remove(part, ignored);
  return drawn;
}

}  // namespace asap
