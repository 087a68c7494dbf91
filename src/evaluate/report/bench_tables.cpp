#include "evaluate/report/bench_tables.h"

#include <cmath>

#include "base/counted.h"
#include "base/format.h"
#include "base/text_table.h"
#include "evaluate/report/bench_digest.h"

namespace asap::evaluate {
namespace {

using Cell = std::function<std::string(const BenchRow& row, const FormResult& result)>;

/// Leaves out forms without a value at any size.
Grid make_grid(const BenchResult& result, std::string title, std::string note, const Cell& cell) {
  Grid grid{std::move(title), std::move(note)};
  grid.rows.push_back({"form"});
  for (const BenchRow& row : result.rows)
    grid.rows[0].push_back("N = " + std::to_string(row.tokens));
  for (const std::string& name : form_names(result)) {
    std::vector<std::string> cells = {name};
    bool any = false;
    for (const BenchRow& row : result.rows) {
      const FormResult* found = row.find(name);
      cells.push_back(found && found->skipped.empty() ? cell(row, *found) : "-");
      any = any || cells.back() != "-";
    }
    if (any) grid.rows.push_back(std::move(cells));
  }
  return grid;
}

Grid growth_grid(const BenchResult& result) {
  Grid grid{"Growth", "exponents of N in a fit of log cost over log N, sizes of at least " +
                          std::to_string(kGrowthFrom) +
                          " tokens; memory beyond inputs and outputs"};
  grid.rows.push_back({"form", "time", "memory", "sizes"});
  for (const Growth& growth : fit_growth(result))
    if (!std::isnan(growth.time))
      grid.rows.push_back({growth.form, base::format_fixed(growth.time, 2),
                           base::format_fixed(growth.memory, 2), std::to_string(growth.sizes)});
  return grid;
}

Grid skipped_grid(const BenchResult& result) {
  Grid grid{"Not measured", "estimated from the size before"};
  grid.rows.push_back({"form", "N", "why"});
  for (const BenchRow& row : result.rows)
    for (const FormResult& form : row.forms)
      if (!form.skipped.empty())
        grid.rows.push_back({form.name, std::to_string(row.tokens), form.skipped});
  return grid;
}

Grid data_grid(const BenchResult& result) {
  Grid grid{
      "Data",
      "heads per turn; median over heads of the range of the scores; heads of all rounds that left "
      "the exp domain"};
  grid.rows.push_back({"N", "D", "heads", "range", "left the exp domain"});
  for (const BenchRow& row : result.rows) {
    std::string left;
    for (const FormResult& form : row.forms)
      if (form.log_domain_heads > 0 && form.name != "sinkhorn_log")
        left +=
            (left.empty() ? "" : ", ") + form.name + " " + std::to_string(form.log_domain_heads);
    grid.rows.push_back({std::to_string(row.tokens), std::to_string(row.head_width),
                         std::to_string(row.heads), base::format_fixed(row.logit_range, 1),
                         left.empty() ? "none" : left});
  }
  return grid;
}

/// Slope of the least-squares line through (log x, log y).
double log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() < 2) return FormResult::kNone;
  double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
  const double count = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / count;
    mean_y += std::log(y[i]) / count;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    covariance += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
    variance += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
  }
  return covariance / variance;
}

}  // namespace

std::vector<std::string> form_names(const BenchResult& result) {
  std::vector<std::string> names;
  for (const AttentionForm& form : attention_forms())
    if (!result.rows.empty() && result.rows.front().find(form.name)) names.emplace_back(form.name);
  return names;
}

double time_ratio(const BenchRow& row, const FormResult& result, const std::string& other) {
  const FormResult* denominator = row.find(other);
  return denominator ? result.milliseconds / denominator->milliseconds : FormResult::kNone;
}

std::vector<Growth> fit_growth(const BenchResult& result) {
  std::vector<Growth> all;
  for (const std::string& name : form_names(result)) {
    std::vector<double> tokens, time, memory;
    for (const BenchRow& row : result.rows) {
      const FormResult* form = row.find(name);
      if (row.tokens < kGrowthFrom || !form->skipped.empty()) continue;
      tokens.push_back(static_cast<double>(row.tokens));
      time.push_back(form->milliseconds);
      memory.push_back(static_cast<double>(std::max<std::int64_t>(form->memory_bytes, 1)));
    }
    all.push_back({name, log_slope(tokens, time), log_slope(tokens, memory),
                   static_cast<int>(tokens.size())});
  }
  return all;
}

std::vector<Grid> bench_grids(const BenchResult& result) {
  std::vector<Grid> all;
  all.push_back(make_grid(result, "Milliseconds per head",
                          "medians over rounds, " + base::counted(result.threads, "thread"),
                          [](const BenchRow&, const FormResult& form) {
                            return base::format_significant(form.milliseconds);
                          }));
  all.push_back(make_grid(result, "Divided by softmax", "1 is the time of softmax attention",
                          [](const BenchRow& row, const FormResult& form) {
                            return base::format_fixed(time_ratio(row, form, "softmax"), 2);
                          }));
  for (const std::string compiled : {"compiled", "compiled_tiled", "compiled_tiled_bf16"})
    all.push_back(make_grid(result, "Divided by " + compiled,
                            "how many times as long the Sinkhorn forms take",
                            [&](const BenchRow& row, const FormResult& form) {
                              return is_sinkhorn_form(form.name)
                                         ? base::format_fixed(time_ratio(row, form, compiled), 2)
                                         : "-";
                            }));
  all.push_back(
      make_grid(result, "Plan L1", "distance of the plan from float64 Sinkhorn's, at most 2",
                [](const BenchRow&, const FormResult& form) {
                  return std::isnan(form.plan_l1) ? "-" : base::format_significant(form.plan_l1);
                }));
  all.push_back(make_grid(result, "Output error", "relative to the output of float64 Sinkhorn",
                          [](const BenchRow&, const FormResult& form) {
                            return std::isnan(form.output_error)
                                       ? "-"
                                       : base::format_significant(form.output_error);
                          }));
  all.push_back(make_grid(
      result, "Fraction of the peak",
      "operations in matrix products / time / peak; the peak of multiply-adds in registers is " +
          base::format_fixed(result.peak_gflops, 1) + " GFLOP/s",
      [&](const BenchRow&, const FormResult& form) {
        return base::format_fixed(form.gflops() / result.peak_gflops, 3) +
               (exceeds_peak(result, form) ? " (busy)" : "");
      }));
  all.push_back(make_grid(result, "Memory",
                          "scratch beyond inputs and outputs, the sum over threads",
                          [](const BenchRow&, const FormResult& form) {
                            return base::format_bytes(form.memory_bytes);
                          }));
  all.push_back(growth_grid(result));
  all.push_back(data_grid(result));
  all.push_back(skipped_grid(result));
  std::erase_if(all, [](const Grid& grid) { return grid.rows.size() < 2; });
  return all;
}

std::string grid_text(const Grid& grid) {
  std::vector<base::Table::Column> columns;
  for (const std::string& title : grid.rows[0])
    columns.push_back(
        {title, columns.empty() ? base::Table::Align::left : base::Table::Align::right});
  base::Table table(std::move(columns));
  for (std::size_t i = 1; i < grid.rows.size(); ++i) table.add_row(grid.rows[i]);
  return grid.title + " (" + grid.note + ")\n" + table.text() + "\n";
}

}  // namespace asap::evaluate
