#include "region/ridge/linear_model.h"

#include <numeric>

#include "base/error.h"
#include "numerics/dense_solvers.h"

namespace asap::region {

double LinearModel::operator()(std::span<const double> x) const {
  return std::inner_product(x.begin(), x.end(), slope.begin(), height);
}

LinearModel fit_linear(const Rows& rows) {
  const std::int64_t inputs = rows.inputs(), size = inputs + 1;
  tensor::Tensor<double> gram({size, size}), moment({size}), plane({size});
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const auto value = [&](std::int64_t j) { return j < inputs ? rows.x[i * inputs + j] : 1.0; };
    for (std::int64_t p = 0; p < size; ++p) {
      moment[p] += value(p) * rows.y[static_cast<std::size_t>(i)];
      for (std::int64_t q = 0; q <= p; ++q) gram[p * size + q] += value(p) * value(q);
    }
  }
  const std::vector<double> ridge(static_cast<std::size_t>(size),
                                  1e-6 * static_cast<double>(rows.size()));
  if (!numerics::solve_positive_definite(gram.rows(), ridge, moment.flat(), plane.flat()))
    throw base::NumericalError("the linear fit has no solution");
  return {{plane.data(), plane.data() + inputs}, plane[inputs]};
}

ReluNetwork linear_network(const LinearModel& model, int depth) {
  const auto inputs = static_cast<std::int64_t>(model.slope.size());
  ReluNetwork network;
  DenseLayer first(2, inputs), output(1, 2);
  for (std::int64_t j = 0; j < inputs; ++j) {
    first.w(0, j) = model.slope[static_cast<std::size_t>(j)];
    first.w(1, j) = -first.w(0, j);
  }
  network.layers.push_back(first);
  for (int l = 1; l < depth; ++l) {
    DenseLayer pass(2, 2);
    pass.w(0, 0) = pass.w(1, 1) = 1;
    network.layers.push_back(pass);
  }
  output.w(0, 0) = 1;
  output.w(0, 1) = -1;
  output.bias[0] = model.height;
  network.layers.push_back(output);
  return network;
}

ReluNetwork sum_of(const ReluNetwork& a, const ReluNetwork& b) {
  base::check(a.depth() == b.depth() && a.inputs() == b.inputs(),
              "sum_of: networks of different shapes");
  ReluNetwork sum;
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const DenseLayer &first = a.layers[l], &second = b.layers[l];
    const bool input = l == 0, output = l + 1 == a.layers.size();
    const std::int64_t row = output ? 0 : first.outputs(), column = input ? 0 : first.inputs();
    DenseLayer layer(row + second.outputs(), column + second.inputs());
    const auto copy = [&](const DenseLayer& from, std::int64_t down, std::int64_t right) {
      for (std::int64_t k = 0; k < from.outputs(); ++k) {
        layer.bias[static_cast<std::size_t>(down + k)] += from.bias[static_cast<std::size_t>(k)];
        for (std::int64_t j = 0; j < from.inputs(); ++j)
          layer.w(down + k, right + j) += from.w(k, j);
      }
    };
    copy(first, 0, 0);
    copy(second, row, column);
    sum.layers.push_back(std::move(layer));
  }
  return sum;
}

}  // namespace asap::region
