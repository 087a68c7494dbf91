#include "region/run/pieces_report.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "io/number_or_null.h"

namespace asap::region {
namespace {

constexpr std::int64_t kShownPieces = 12;

/// A straight piece of the report. Errors are NaN where they are not known.
struct PieceRow {
  double from, to, slope, intercept, slope_error, from_error;
  bool jump;  ///< it begins with a jump
};

std::vector<PieceRow> piece_rows(const FitRun& run) {
  std::vector<PieceRow> rows;
  std::size_t slope = 0, knot = 0;
  for (const PiecewiseLinear& part : run.parts) {
    for (std::int64_t k = 0; k < part.pieces(); ++k) {
      PieceRow row{part.x[static_cast<std::size_t>(k)],
                   part.x[static_cast<std::size_t>(k) + 1],
                   part.slope(k),
                   part.intercept(k),
                   NAN,
                   NAN,
                   k == 0 && !rows.empty()};
      if (run.errors) {
        row.slope_error = run.errors->slopes[slope++];
        if (k > 0) row.from_error = run.errors->knots[knot++];
      }
      rows.push_back(row);
    }
  }
  return rows;
}

std::string error_text(double error) {
  return std::isnan(error) ? "" : base::format_significant(error);
}

const char* knots_text(Knots knots) {
  return knots == Knots::free ? "free" : knots == Knots::even ? "even" : "smooth";
}

}  // namespace

std::string trials_text(const FitRun& run) {
  if (run.pieces.size() < 2) return "";
  const bool jumps = run.config.jumps > 0;
  const bool bic = run.config.criterion == Criterion::bic;
  std::vector<base::Table::Column> columns{{"pieces"}};
  if (jumps) columns.push_back({"jumps"});
  if (!bic) columns.push_back({"knots"});
  columns.push_back({"mse"});
  columns.push_back({!bic    ? "mse at points left out"
                     : jumps ? "n log(mse) + (2 pieces + jumps) log(n)"
                             : "n log(mse) + 2 pieces log(n)"});
  columns.push_back({"chosen"});
  base::Table table(columns);
  for (const PiecesTrial& trial : run.pieces) {
    std::vector<std::string> row{std::to_string(trial.pieces)};
    if (jumps) row.push_back(std::to_string(trial.jumps));
    if (!bic) row.emplace_back(knots_text(trial.knots));
    row.push_back(base::format_significant(trial.mse));
    row.push_back(bic ? base::format_fixed(trial.criterion, 1)
                      : base::format_significant(trial.criterion));
    row.emplace_back(trial.chosen ? "yes" : "");
    table.add_row(row);
  }
  return table.text() + "\n";
}

std::string pieces_text(const FitRun& run) {
  const std::vector<PieceRow> rows = piece_rows(run);
  if (rows.empty() || static_cast<std::int64_t>(rows.size()) > kShownPieces) return "";
  base::Table table({{"from"}, {"standard error"}, {"to"}, {"slope"}, {"standard error"}});
  for (const PieceRow& row : rows)
    table.add_row({base::format_significant(row.from),
                   row.jump ? "jump" : error_text(row.from_error), base::format_significant(row.to),
                   base::format_significant(row.slope), error_text(row.slope_error)});
  return table.text() + "\n";
}

std::string jumps_text(const FitRun& run) {
  std::vector<std::string> all;
  for (const Jump& jump : jumps_of(run.parts))
    all.push_back(base::format_significant(jump.height) + " between x = " +
                  base::format_number(jump.left) + " and " + base::format_number(jump.right));
  return base::join(all, ", ");
}

std::string constraints_text(const KeptConstraints& kept, const PiecesConstraints& constraints) {
  std::string text = "kept: slopes from " + base::format_significant(kept.least_slope) + " to " +
                     base::format_significant(kept.most_slope) + ", values from " +
                     base::format_significant(kept.least_value) + " to " +
                     base::format_significant(kept.most_value);
  if (!constraints.through.empty())
    text += ", forced points missed by " + base::format_significant(kept.through_error);
  return text;
}

void add_pieces_summary(const FitRun& run, io::Json& summary) {
  for (const PiecesTrial& trial : run.pieces)
    summary["pieces"].push_back({{"pieces", trial.pieces},
                                 {"jumps", trial.jumps},
                                 {"knots", knots_text(trial.knots)},
                                 {"mse", trial.mse},
                                 {"criterion", trial.criterion},
                                 {"chosen", trial.chosen}});
  if (run.parts.empty()) return;
  io::Json segments = io::Json::array(), breakpoints = io::Json::array(), jumps = io::Json::array();
  for (const PieceRow& row : piece_rows(run)) {
    segments.push_back({{"from", row.from},
                        {"to", row.to},
                        {"slope", row.slope},
                        {"slope_error", io::number_or_null(row.slope_error)},
                        {"intercept", row.intercept}});
    if (segments.size() > 1 && !row.jump)
      breakpoints.push_back({{"x", row.from}, {"error", io::number_or_null(row.from_error)}});
  }
  for (const Jump& jump : jumps_of(run.parts))
    jumps.push_back({{"left", jump.left},
                     {"right", jump.right},
                     {"place", 0.5 * (jump.left + jump.right)},
                     {"height", jump.height}});
  summary["straight_pieces"] = {
      {"segments", segments},
      {"breakpoints", breakpoints},
      {"jumps", jumps},
      {"noise_deviation", run.errors ? io::number_or_null(run.errors->deviation) : io::Json()}};
  if (run.kept)
    summary["constraints"] = {
        {"least_slope", run.kept->least_slope},     {"most_slope", run.kept->most_slope},
        {"least_value", run.kept->least_value},     {"most_value", run.kept->most_value},
        {"through_error", run.kept->through_error}, {"violation", run.kept->violation}};
}

KeptConstraints checked_constraints(const PiecesConstraints& constraints,
                                    const ReluNetwork& network, numerics::Interval interval) {
  constexpr double kMostViolated = 1e-9;
  if (!constraints.through.empty()) {
    interval.low = std::min(interval.low, constraints.through.front().first);
    interval.high = std::max(interval.high, constraints.through.back().first);
  }
  const KeptConstraints kept = kept_constraints(constraints, network, interval);
  if (!(kept.violation <= kMostViolated))
    throw base::NumericalError("the network breaks " + constraints.fields() + " by " +
                                   base::format_significant(kept.violation) +
                                   " of the range of its values",
                               "the numbers are too large or too close for float64");
  return kept;
}

}  // namespace asap::region
