#include "evaluate/report/bench_digest.h"

#include <cmath>

#include "base/counted.h"
#include "base/format.h"
#include "evaluate/report/bench_tables.h"

namespace asap::evaluate {
namespace {

constexpr double kSameBenchTime = 0.03;  // relative; below, two times do not differ

bool is_bfloat16(const std::string& form) { return form.ends_with("bf16"); }

const FormResult* measured(const BenchRow& row, const std::string& form) {
  const FormResult* found = row.find(form);
  return found && found->skipped.empty() ? found : nullptr;
}

/// At the largest size at which any was measured; empty: none.
std::string fastest_loop(const BenchResult& result) {
  const FormResult* fastest = nullptr;
  for (auto row = result.rows.rbegin(); row != result.rows.rend() && !fastest; ++row)
    for (const FormResult& form : row->forms)
      if (is_sinkhorn_form(form.name) && !is_bfloat16(form.name) && form.skipped.empty() &&
          (!fastest || form.milliseconds < fastest->milliseconds))
        fastest = &form;
  return fastest ? fastest->name : "";
}

std::string in_tokens(std::int64_t tokens) { return "N = " + std::to_string(tokens); }

/// Of the largest size at which the form was compared with float64 Sinkhorn.
std::string last_error(const BenchResult& result, const std::string& name) {
  for (auto row = result.rows.rbegin(); row != result.rows.rend(); ++row)
    if (const FormResult* form = measured(*row, name); form && !std::isnan(form->output_error))
      return base::format_significant(form->output_error);
  return "-";
}

}  // namespace

std::vector<std::string> main_forms(const BenchResult& result) {
  std::vector<std::string> names;
  for (const std::string& name : {std::string("softmax"), fastest_loop(result),
                                  std::string("compiled"), std::string("compiled_bf16")})
    for (const BenchRow& row : result.rows)
      if (measured(row, name)) {
        names.push_back(name);
        break;
      }
  return names;
}

std::string bench_conclusion(const BenchConfig& config, const BenchResult& result) {
  const std::string loop = fastest_loop(result);
  const BenchRow* last = nullptr;  // the largest size
  const BenchRow* from = nullptr;  // compiled wins here and at every larger size
  bool everywhere = true;
  for (const BenchRow& row : result.rows) {
    if (!measured(row, "compiled") || !measured(row, loop)) continue;
    last = &row;
    const bool wins = row.find("compiled")->milliseconds < row.find(loop)->milliseconds;
    everywhere = everywhere && wins;
    if (!wins) from = nullptr;
    if (wins && !from) from = &row;
  }
  if (!last) return "";
  const std::string rival =
      "the fastest Sinkhorn loop (" + loop + ", T = " + std::to_string(config.iterations) + ")";
  const double gain = time_ratio(*last, *last->find(loop), "compiled");
  if (std::abs(gain - 1) < kSameBenchTime)
    return "Compiled attention takes about as long as " + rival + " at " + in_tokens(last->tokens) +
           ".";
  if (!from)
    return "Compiled attention is not faster than " + rival + ": at " + in_tokens(last->tokens) +
           " it takes " + base::format_fixed(1 / gain, 2) + " times as long.";
  std::string words = "Compiled attention is faster than " + rival +
                      (everywhere ? " at every size" : " from " + in_tokens(from->tokens) + " on") +
                      ": " + base::format_fixed(gain, 2) + " times at " + in_tokens(last->tokens);
  if (measured(*last, "compiled_bf16"))
    words += ", in bfloat16 " +
             base::format_fixed(time_ratio(*last, *last->find(loop), "compiled_bf16"), 2) +
             " times";
  return words + ".";
}

bool exceeds_peak(const BenchResult& result, const FormResult& form) {
  return form.skipped.empty() && !is_bfloat16(form.name) && form.gflops() > result.peak_gflops;
}

std::string busy_warning(const BenchResult& result) {
  const FormResult* worst = nullptr;
  for (const BenchRow& row : result.rows)
    for (const FormResult& form : row.forms)
      if (exceeds_peak(result, form) && (!worst || form.gflops() > worst->gflops())) worst = &form;
  if (!worst) return "";
  return "The machine was busy: " + worst->name + " reached " +
         base::format_fixed(worst->gflops() / result.peak_gflops, 2) +
         " times the peak that was measured, which no form can. Do not trust these fractions of "
         "the "
         "peak, and measure again on an idle machine.";
}

std::string bench_digest(const BenchConfig& config, const BenchResult& result) {
  Grid grid{"Milliseconds per head", "medians over rounds, " +
                                         base::counted(result.threads, "thread") +
                                         "; output error: against float64 Sinkhorn"};
  grid.rows.push_back({"form"});
  for (const BenchRow& row : result.rows) grid.rows[0].push_back(in_tokens(row.tokens));
  grid.rows[0].emplace_back("output error");
  for (const std::string& name : main_forms(result)) {
    std::vector<std::string> cells = {name};
    for (const BenchRow& row : result.rows) {
      const FormResult* form = measured(row, name);
      cells.push_back(form ? base::format_significant(form->milliseconds) : "-");
    }
    cells.push_back(last_error(result, name));
    grid.rows.push_back(std::move(cells));
  }
  std::string text = grid_text(grid);
  for (const std::string& line : {bench_conclusion(config, result), busy_warning(result)})
    if (!line.empty()) text += line + "\n";
  return text + "all forms: --forms all, or the report\n";
}

}  // namespace asap::evaluate
