#include "evaluate/report/report_charts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/format.h"

namespace asap::evaluate {
namespace {

ScatterChart against_time(const Comparison& comparison, const std::string& measure,
                          double MethodResult::*value, bool lower_is_better = false) {
  ScatterChart chart{measure + " against time in attention",
                     "milliseconds in attention per example",
                     measure,
                     {},
                     lower_is_better};
  for (const MethodResult& method : comparison.methods)
    chart.points.push_back(
        {method.name, method.attention_milliseconds, method.*value, family_of(method.name)});
  return chart;
}

/// Mean over the heads of a layer, by iteration.
std::vector<double> layer_errors(const std::vector<HeadStudy>& heads) {
  std::vector<double> mean(heads.front().column_errors.size());
  for (const HeadStudy& head : heads)
    for (std::size_t t = 0; t < mean.size(); ++t)
      mean[t] += head.column_errors[t] / static_cast<double>(heads.size());
  return mean;
}

double layer_error(const std::vector<HeadFidelity>& heads) {
  double mean = 0;
  for (const HeadFidelity& head : heads)
    mean += head.column_error / static_cast<double>(heads.size());
  return mean;
}

/// The loop that times are divided by, and the forms that a chart of scaling shows: the slow ones
/// of the literature would press all others to the axis.
constexpr std::string_view kOwnLoop = "sinkhorn_exp";
constexpr std::string_view kScalingForms[] = {"softmax",  "sinkhorn_exp",   "sinkhorn_single",
                                              "compiled", "compiled_tiled", "compiled_bf16"};

/// NaN where it was not measured.
double milliseconds_at(const ScalingCurve& curve, double tokens) {
  const auto found = std::ranges::find(curve.tokens, tokens);
  return found == curve.tokens.end()
             ? std::numeric_limits<double>::quiet_NaN()
             : curve.milliseconds[static_cast<std::size_t>(found - curve.tokens.begin())];
}

using TrainingValues = std::vector<double> TrainingCurves::*;

LineChart training_chart(const std::string& title, const std::string& measure,
                         const TrainingCurves& training, TrainingValues batches,
                         TrainingValues tests) {
  return {title,
          "steps",
          measure,
          {{"training batches", training.*batches, Family::zero_dual, training.steps},
           {"test", training.*tests, Family::teacher, training.test_steps}}};
}

}  // namespace

std::string head_name(std::size_t layer, std::size_t head) {
  return "layer " + std::to_string(layer) + ", head " + std::to_string(head);
}

std::vector<Tradeoff> tradeoff_charts(const Comparison& comparison) {
  return {{"accuracy", against_time(comparison, "accuracy", &MethodResult::accuracy)},
          {"agreement", against_time(comparison, "agreement", &MethodResult::agreement)},
          {"plan L1", against_time(comparison, "plan L1", &MethodResult::plan_l1, true)}};
}

BarChart distance_chart(const Comparison& comparison) {
  BarChart chart{"Distance of the plans from the teacher's", "plan L1", 3, {}};
  for (const MethodResult& method : comparison.methods)
    if (method.has_own_plans() && method.name != "teacher")
      chart.bars.push_back({method.name, method.plan_l1, family_of(method.name)});
  return chart;
}

LineChart column_error_chart(const ReportData& data) {
  LineChart chart{"Column error by iteration", "Sinkhorn iterations", "column error", {}};
  chart.log_y = true;
  const auto& layers = data.study.heads;
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    chart.lines.push_back({"Sinkhorn, layer " + std::to_string(layer), layer_errors(layers[layer]),
                           Family::truncated});
  for (const MethodResult& method : data.comparison.methods) {
    if (method.name != "compiled" || layers.empty()) continue;
    const auto last = static_cast<double>(layers[0][0].column_errors.size() - 1);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      const double error = layer_error(method.heads[layer]);
      chart.lines.push_back({"compiled, layer " + std::to_string(layer),
                             {error, error},
                             Family::compiled,
                             {0, last}});
    }
  }
  return chart;
}

CloudChart dual_chart(const NetworkStudy& study) {
  CloudChart chart{"Predicted against true dual", "true dual", "predicted dual", {}};
  for (std::size_t layer = 0; layer < study.heads.size(); ++layer)
    for (std::size_t head = 0; head < study.heads[layer].size(); ++head) {
      const HeadStudy& one = study.heads[layer][head];
      if (!one.target.empty())
        chart.panels.push_back({head_name(layer, head), "R² " + base::format_fixed(one.dual_r2, 3),
                                one.target, one.predicted});
    }
  return chart;
}

LineChart scaling_chart(const ScalingCurves& scaling) {
  const auto loop = std::ranges::find(scaling.curves, kOwnLoop, &ScalingCurve::form);
  const bool relative = loop != scaling.curves.end();
  LineChart chart{"Time of attention by number of tokens",
                  "tokens",
                  relative ? "time / our own Sinkhorn loop's" : "milliseconds per head",
                  {}};
  chart.log_x = true;
  chart.log_y = !relative;
  for (const ScalingCurve& curve : scaling.curves) {
    if (std::ranges::find(kScalingForms, curve.form) == std::end(kScalingForms)) continue;
    ChartLine line{curve.form, {}, family_of(curve.form), {}};
    for (std::size_t i = 0; i < curve.tokens.size(); ++i) {
      const double unit = relative ? milliseconds_at(*loop, curve.tokens[i]) : 1.0;
      if (std::isnan(unit)) continue;  // the loop was not measured at this size
      line.at.push_back(curve.tokens[i]);
      line.values.push_back(curve.milliseconds[i] / unit);
    }
    if (!line.values.empty()) chart.lines.push_back(std::move(line));
  }
  return chart;
}

LineChart training_loss_chart(const TrainingCurves& training) {
  return training_chart("Loss in training", "cross-entropy", training, &TrainingCurves::loss,
                        &TrainingCurves::test_loss);
}

LineChart training_accuracy_chart(const TrainingCurves& training) {
  return training_chart("Accuracy in training", "accuracy", training, &TrainingCurves::accuracy,
                        &TrainingCurves::test_accuracy);
}

}  // namespace asap::evaluate
