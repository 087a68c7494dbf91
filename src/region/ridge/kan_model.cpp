#include "region/ridge/kan_model.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

double silu(double x) { return x / (1 + std::exp(-x)); }

double silu_slope(double x) {
  const double gate = 1 / (1 + std::exp(-x));
  return gate * (1 + x * (1 - gate));
}

}  // namespace

std::int64_t KanShape::parameter_count() const {
  std::int64_t edges = 0, reads = inputs;
  for (const std::int64_t width : widths) {
    edges += reads * width;
    reads = width;
  }
  return (edges + reads) * (cells + 4);
}

KanModel::KanModel(const Rows& rows, KanShape shape) : rows_(rows), shape_(std::move(shape)) {}

std::vector<double> KanModel::start(base::RandomStream& random) const {
  std::vector<double> parameters;
  for (std::size_t l = 0; l < layers(); ++l) {
    const double base = std::sqrt(2.0 / static_cast<double>(width(l) + outputs(l)));
    for (std::int64_t edge = 0; edge < width(l) * outputs(l); ++edge) {
      parameters.push_back(base * random.normal());
      for (int m = 0; m < shape_.cells + 3; ++m) parameters.push_back(0.1 * random.normal());
    }
  }
  return parameters;
}

double KanModel::forward(tensor::VectorView<const double> parameters, std::span<const double> x,
                         Trace& trace) const {
  trace.inputs.assign(1, {x.begin(), x.end()});
  const double* next = parameters.data();
  for (std::size_t l = 0; l < layers(); ++l) {
    const std::vector<double> in = trace.inputs.back();
    const numerics::CubicSplines basis = splines(l);
    std::vector<numerics::CubicSplinesAt> at;
    for (const double value : in) at.push_back(basis.at(value));
    std::vector<double> out(static_cast<std::size_t>(outputs(l)), 0.0);
    for (double& sum : out)
      for (std::size_t i = 0; i < in.size(); ++i, next += edge_size()) {
        sum += next[0] * silu(in[i]);
        for (std::size_t m = 0; m < 4; ++m)
          sum += next[1 + at[i].first + static_cast<int>(m)] * at[i].value[m];
      }
    trace.inputs.push_back(std::move(out));
  }
  return trace.inputs.back()[0];
}

std::vector<double> KanModel::predict(tensor::VectorView<const double> parameters,
                                      const Rows& rows) const {
  std::vector<double> values;
  Trace trace;
  for (std::int64_t i = 0; i < rows.size(); ++i)
    values.push_back(forward(parameters, rows.row(i), trace));
  return values;
}

void KanModel::evaluate(tensor::VectorView<const double> parameters,
                        tensor::VectorView<double> residuals) {
  parameters_.assign(parameters.begin(), parameters.end());
  const std::vector<double> values = predict(parameters, rows_);
  const double weight = 1 / std::sqrt(static_cast<double>(rows_.size()));
  for (std::size_t i = 0; i < values.size(); ++i) residuals[i] = weight * (values[i] - rows_.y[i]);
}

void KanModel::jacobian(tensor::MatrixView<double> transposed) {
  for (std::int64_t p = 0; p < transposed.rows; ++p) {
    const tensor::VectorView<double> row = transposed.row(p);
    std::fill(row.begin(), row.end(), 0.0);
  }
  const double weight = 1 / std::sqrt(static_cast<double>(rows_.size()));
  Trace trace;
  for (std::int64_t sample = 0; sample < rows_.size(); ++sample) {
    forward(parameters_, rows_.row(sample), trace);
    std::vector<double> delta{weight};
    std::int64_t end = parameter_count();
    for (std::size_t l = layers(); l-- > 0;) {
      const std::vector<double>& in = trace.inputs[l];
      const numerics::CubicSplines basis = splines(l);
      std::vector<double> below(in.size(), 0.0);
      const std::int64_t first = end - width(l) * outputs(l) * edge_size();
      for (std::size_t i = 0; i < in.size(); ++i) {
        const numerics::CubicSplinesAt at = basis.at(in[i]);
        for (std::size_t j = 0; j < delta.size(); ++j) {
          const std::int64_t edge =
              first + (static_cast<std::int64_t>(j) * width(l) + static_cast<std::int64_t>(i)) *
                          edge_size();
          const double* const own = parameters_.data() + edge;
          transposed(edge, sample) = delta[j] * silu(in[i]);
          double slope = own[0] * silu_slope(in[i]);
          for (std::size_t m = 0; m < 4; ++m) {
            const std::int64_t coefficient = 1 + at.first + static_cast<int>(m);
            transposed(edge + coefficient, sample) = delta[j] * at.value[m];
            slope += own[coefficient] * at.slope[m];
          }
          below[i] += delta[j] * slope;
        }
      }
      end = first;
      delta = std::move(below);
    }
  }
}

std::vector<KanShape> kan_shapes(std::int64_t inputs, std::int64_t parameters) {
  std::vector<KanShape> shapes;
  for (const int cells : {3, 5, 8}) {
    const double each = static_cast<double>((inputs + 1) * (cells + 4));
    const auto width =
        std::max<std::int64_t>(1, std::llround(static_cast<double>(parameters) / each));
    shapes.push_back({inputs, {width}, cells});
  }
  return shapes;
}

}  // namespace asap::region
