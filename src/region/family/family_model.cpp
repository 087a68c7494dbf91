#include "region/family/family_model.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

constexpr double kLogitRange = 5;

std::vector<double> softmax(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> out;
  double total = 0;
  for (const double logit : logits) total += out.emplace_back(std::exp(logit - largest));
  for (double& value : out) value /= total;
  return out;
}

/// The logits of one level's pieces, among all parameters.
template <class T>
std::span<T> logits_of(std::span<T> parameters, int level, int fold) {
  const auto size = static_cast<std::size_t>(fold);
  return parameters.subspan(static_cast<std::size_t>(level) * size, size);
}

/// out(q) += sensitivity * d zigzag(w) / d logit_q. Pieces before the one that holds w only move
/// its start.
void add_zigzag_derivatives(std::span<const double> pieces, double w, double sensitivity,
                            std::span<double> out) {
  double start = 0;
  std::size_t k = 0;
  while (k + 1 < pieces.size() && w >= start + pieces[k]) start += pieces[k++];
  const double slope = (k % 2 == 0 ? sensitivity : -sensitivity) / pieces[k];
  for (std::size_t q = 0; q < pieces.size(); ++q) {
    const double direct = q < k ? -pieces[q] : q == k ? start - w : 0;
    out[q] += slope * (direct + pieces[q] * w);
  }
}

/// The same for sum_k scales[k - 1] T_{b_k}(w), with d b_k / d logit_q = pieces_q ([q < k] - b_k).
/// Returns the derivative by w.
double add_tent_derivatives(std::span<const double> pieces, std::span<const double> scales,
                            double w, std::span<double> out) {
  double corner = 0, by_w = 0;
  for (std::size_t k = 1; k < pieces.size(); ++k) {
    corner += pieces[k - 1];
    const bool left = w < corner;
    by_w += scales[k - 1] * (left ? 1 / corner : -1 / (1 - corner));
    const double by_corner =
        scales[k - 1] * (left ? -w / (corner * corner) : (1 - w) / ((1 - corner) * (1 - corner)));
    for (std::size_t q = 0; q < pieces.size(); ++q)
      out[q] += by_corner * pieces[q] * ((q < k ? 1 : 0) - corner);
  }
  return by_w;
}

}  // namespace

FamilyModel::FamilyModel(const Samples& samples, numerics::Interval interval, int depth, int fold,
                         ScaleRule rule, double amplitude_unit)
    : interval_(interval),
      depth_(depth),
      fold_(fold),
      rule_(rule),
      amplitude_unit_(amplitude_unit),
      targets_(samples.y) {
  base::check(rule == ScaleRule::free || fold == 2,
              "FamilyModel: Theorem 3.1 holds for two pieces");
  const double total = samples.total_weight();
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    t_.push_back(interval.unit(samples.x[i]));
    root_weights_.push_back(std::sqrt(samples.weight_at(i) / total));
  }
}

std::int64_t FamilyModel::parameter_count() const { return first_value() + 2; }

std::vector<double> FamilyModel::parameters_of(const FoldedFunction& function) const {
  base::check(rule_ == ScaleRule::free, "FamilyModel: the last peak is not known");
  std::vector<double> parameters;
  for (const auto& level : function.windows.front().pieces)
    for (const double piece : level) parameters.push_back(std::log(piece));
  const auto& scales = function.windows.front().scales;
  parameters.insert(parameters.end(), scales.begin(), scales.end());
  parameters.insert(parameters.end(), function.values.begin(), function.values.end());
  return parameters;
}

std::vector<double> FamilyModel::parameters_of(std::span<const double> peaks, double amplitude,
                                               double left, double right) const {
  base::check(rule_ == ScaleRule::smooth && static_cast<int>(peaks.size()) == levels(),
              "FamilyModel: one peak per level is needed");
  std::vector<double> parameters;
  for (const double peak : peaks) {
    parameters.push_back(std::log(peak));
    parameters.push_back(std::log1p(-peak));
  }
  parameters.insert(parameters.end(), {amplitude / amplitude_unit_, left, right});
  return parameters;
}

FoldedFunction FamilyModel::function(tensor::VectorView<const double> parameters) const {
  FoldedFunction function;
  FoldedWindow window;
  std::vector<double> peaks;
  for (int i = 0; i < levels(); ++i) {
    window.pieces.push_back(softmax(logits_of(parameters, i, fold_)));
    peaks.push_back(window.pieces.back()[0]);
  }
  window.pieces.resize(static_cast<std::size_t>(depth_));
  const double* const scales = parameters.data() + first_scale();
  window.scales = rule_ == ScaleRule::smooth ? smooth_scales(peaks, amplitude_unit_ * scales[0])
                                             : std::vector<double>(scales, scales + scale_count());
  function.windows = {std::move(window)};
  function.nodes = {interval_.low, interval_.high};
  function.values = {parameters[first_value()], parameters[first_value() + 1]};
  return function;
}

void FamilyModel::evaluate(tensor::VectorView<const double> parameters,
                           tensor::VectorView<double> residuals) {
  parameters_.assign(parameters.begin(), parameters.end());
  function_ = function(parameters);
  if (rule_ == ScaleRule::smooth) last_peak_ = softmax(logits_of(parameters, depth_, fold_));
  const FoldedWindow& window = function_.windows.front();
  std::vector<double> basis(window.scales.size());
  for (std::size_t i = 0; i < t_.size(); ++i) {
    window.basis(t_[i], basis);
    double value = function_.values[0] + t_[i] * (function_.values[1] - function_.values[0]);
    for (std::size_t k = 0; k < basis.size(); ++k) value += window.scales[k] * basis[k];
    residuals[i] = root_weights_[i] * (value - targets_[i]);
  }
}

/// Adds the derivatives through the scales. row: [parameters]; basis: [scales].
void FamilyModel::scale_derivatives(std::span<const double> basis, std::span<double> row) const {
  const auto first = static_cast<std::size_t>(first_scale());
  const FoldedWindow& window = function_.windows.front();
  if (rule_ == ScaleRule::free) {
    std::copy(basis.begin(), basis.end(), row.begin() + first_scale());
    return;
  }
  // d log s_i / d a_k = (1 - 2 a_k) / (a_k (1 - a_k)) for k <= i and 1 / a_{i+1} for k = i + 1;
  // with logits (x, y) of (a, 1 - a), da/dx = a (1 - a) = -da/dy.
  const auto peak = [&](int k) { return k < depth_ ? window.pieces[k][0] : last_peak_[0]; };
  const double amplitude = parameters_[first];
  double later = 0;  // sum over i >= k of basis_i s_i
  for (int k = depth_; k >= 0; --k) {
    if (k < depth_) later += basis[k] * window.scales[k];
    const double before = k > 0 ? basis[k - 1] * window.scales[k - 1] : 0;
    const double by_logit = (1 - 2 * peak(k)) * later + (1 - peak(k)) * before;
    row[2 * static_cast<std::size_t>(k)] += by_logit;
    row[2 * static_cast<std::size_t>(k) + 1] -= by_logit;
  }
  row[first] = amplitude != 0 ? later / amplitude : 0;
}

/// Adds the derivatives by the logits of the pieces at fixed scales. row: [parameters].
void FamilyModel::piece_derivatives(double t, std::span<double> row) const {
  const FoldedWindow& window = function_.windows.front();
  const auto depth = static_cast<std::size_t>(depth_), fold = static_cast<std::size_t>(fold_);
  std::vector<double> w{t};
  for (std::size_t i = 0; i + 1 < depth; ++i) w.push_back(zigzag(window.pieces[i], w[i]));
  double sensitivity = 0;  // dF / dW_i through the levels after i
  for (std::size_t i = depth; i-- > 0;) {
    const auto logits = row.subspan(i * fold, fold);
    add_zigzag_derivatives(window.pieces[i], w[i], sensitivity, logits);
    const auto scales = std::span(window.scales).subspan(i * (fold - 1), fold - 1);
    sensitivity = sensitivity * zigzag_slope(window.pieces[i], w[i]) +
                  add_tent_derivatives(window.pieces[i], scales, w[i], logits);
  }
}

void FamilyModel::jacobian(tensor::MatrixView<double> transposed) {
  const FoldedWindow& window = function_.windows.front();
  std::vector<double> row(static_cast<std::size_t>(parameter_count())), basis(window.scales.size());
  for (std::size_t i = 0; i < t_.size(); ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    piece_derivatives(t_[i], row);
    window.basis(t_[i], basis);
    scale_derivatives(basis, row);
    row[row.size() - 2] = 1 - t_[i];
    row[row.size() - 1] = t_[i];
    for (std::size_t p = 0; p < row.size(); ++p)
      transposed(static_cast<std::int64_t>(p), static_cast<std::int64_t>(i)) =
          root_weights_[i] * row[p];
  }
}

void FamilyModel::constrain(tensor::VectorView<double> parameters) const {
  for (int i = 0; i < levels(); ++i) {
    const auto logits = logits_of(parameters, i, fold_);
    const double largest = *std::max_element(logits.begin(), logits.end());
    for (double& logit : logits) logit = std::max(logit, largest - kLogitRange) - largest;
  }
}

}  // namespace asap::region
