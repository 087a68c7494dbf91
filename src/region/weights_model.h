#pragma once

#include "optim/levenberg_marquardt.h"
#include "region/relu_network.h"
#include "region/samples.h"

namespace asap {

/// All weights and biases of a small ReLU network as the parameters of a least-squares fit.
/// Residuals are sqrt(w_i / sum w) (F(x_i) - y_i), so the cost is the mean squared error. One
/// reverse pass gives the Jacobian of all samples, since the output is a scalar.
class WeightsModel : public LeastSquaresModel {
 public:
  /// `widths`: neurons of each hidden layer. The samples are copied.
  WeightsModel(const Samples& samples, std::vector<std::int64_t> widths);

  /// Parameters of a network with these widths: layer after layer, each row its weights and its
  /// bias.
  static std::vector<double> parameters_of(const ReluNetwork& network);
  ReluNetwork network(VectorView<const double> parameters) const;

  /// Rounds off the corner of ReLU; see relu_layer. 0 is ReLU itself.
  void set_smoothing(double tau) { tau_ = tau; }

  /// Scales each hidden neuron so that its largest activation on the samples is one, and the
  /// weights that read it by the inverse: the same function in better conditioned parameters. Dead
  /// neurons stay.
  void balance(VectorView<double> parameters);

  std::int64_t parameter_count() const override { return offsets_.back(); }
  std::int64_t residual_count() const override { return inputs_.shape()[1]; }
  void evaluate(VectorView<const double> parameters, VectorView<double> residuals) override;
  void jacobian(MatrixView<double> transposed) override;
  void gradient(VectorView<const double> residuals, VectorView<double> gradient) override;

 private:
  std::size_t hidden() const { return widths_.size(); }
  MatrixView<const double> weights(std::size_t layer) const;
  MatrixView<const double> activations(std::size_t layer) const;  // input of layer `layer`
  void forward(VectorView<const double> parameters);
  /// Calls visit(layer, delta, h) from the output down, starting from delta: [1, n].
  template <class Visit>
  void backward(VectorView<const double> output_delta, const Visit& visit);

  std::vector<std::int64_t> widths_;
  std::vector<std::int64_t>
      offsets_;  // first parameter of each layer, then the number of parameters
  double tau_ = 0;
  Tensor<double> inputs_;                  // [1, n], padded by samples of weight zero
  Tensor<double> targets_, root_weights_;  // [n]
  std::vector<double> parameters_;         // of the last evaluate()
  std::vector<Tensor<double>> activation_, slope_, delta_;  // [width, n] of each hidden layer
  Tensor<double> output_;                                   // [n]
};

}  // namespace asap
