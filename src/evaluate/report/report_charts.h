#pragma once

#include <string>
#include <vector>

#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// The pictures of a comparison; a picture without data has no marks.

/// A measure of every method against its time in attention.
struct Tradeoff {
  std::string name;  ///< of the measure
  ScatterChart chart;
};
/// Accuracy first, then agreement and plan distance.
std::vector<Tradeoff> tradeoff_charts(const Comparison& comparison);

BarChart distance_chart(const Comparison& comparison);

/// Column error of the teacher's layers by iteration, means over heads, and that of the compiled
/// operator as horizontal lines.
LineChart column_error_chart(const ReportData& data);

/// Predicted against true duals, one panel per head.
CloudChart dual_chart(const NetworkStudy& study);

/// Time of the main forms divided by that of our own Sinkhorn loop (sinkhorn_exp) at the same
/// number of tokens, on a linear axis; milliseconds on a logarithmic one where the loop was not
/// measured.
LineChart scaling_chart(const ScalingCurves& scaling);

LineChart training_loss_chart(const TrainingCurves& training);
LineChart training_accuracy_chart(const TrainingCurves& training);

/// "layer 0, head 1"
std::string head_name(std::size_t layer, std::size_t head);

}  // namespace asap::evaluate
