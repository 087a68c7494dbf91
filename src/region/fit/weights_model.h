#pragma once

#include "base/random.h"
#include "numerics/levenberg_marquardt.h"
#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// The shape of a WeightsModel: `blocks` narrow networks side by side, each with its own neurons,
/// summed by one output neuron. Every block reads all inputs. One block is a dense network.
struct NetworkShape {
  std::int64_t inputs = 1;
  std::int64_t blocks = 1;
  std::vector<std::int64_t> widths;  ///< neurons of each hidden layer in a block

  /// A dense network of one input with `depth` hidden layers of equal width.
  static NetworkShape uniform(int depth, std::int64_t width);
  /// Weights and biases that may differ from zero.
  std::int64_t parameter_count() const;
};

/// Parameters of a WeightsModel with weights from N(0, 2 / inputs) and zero biases (He et al., ICCV
/// 2015).
std::vector<double> kaiming_parameters(const NetworkShape& shape, base::RandomStream& random);

/// Parameters of a WeightsModel by randomised asymmetric initialisation (Lu, Shin, Su and
/// Karniadakis, "Dying ReLU and initialization", arXiv 1903.06733, section 4): weights and bias of
/// a neuron from N(0, 0.6007² / inputs), then one of them, drawn evenly, from Beta(2, 1).
std::vector<double> asymmetric_parameters(const NetworkShape& shape, base::RandomStream& random);

/// A least-squares fit whose parameters are all weights and biases of a small ReLU network.
/// Residuals are sqrt(w_i / sum w) (F(x_i) - y_i), so the cost is the mean squared error. The
/// output is a scalar, so one reverse pass gives the Jacobian of all samples.
class WeightsModel : public numerics::LeastSquaresModel {
 public:
  /// One input. `widths`: neurons of each hidden layer. The samples are copied.
  WeightsModel(const Samples& samples, std::vector<std::int64_t> widths);
  /// Several inputs. The rows, at least one, are copied.
  WeightsModel(const Rows& rows, NetworkShape shape);

  /// Parameters of a network: layer by layer, block by block, each neuron's weights inside its
  /// block and its bias; then the weights and the bias of the output.
  static std::vector<double> parameters_of(const ReluNetwork& network, std::int64_t blocks = 1);
  ReluNetwork network(tensor::VectorView<const double> parameters) const;
  /// First parameter of each layer, then the number of parameters.
  const std::vector<std::int64_t>& layer_begins() const { return offsets_; }

  /// Rounds the corner of ReLU; see relu_layer. 0 is ReLU itself.
  void set_smoothing(double tau) { tau_ = tau; }

  /// Scales each hidden neuron so that its largest activation on the samples is one, and the
  /// weights that read it by the inverse: the same function in better conditioned parameters. Dead
  /// neurons are left alone.
  void balance(tensor::VectorView<double> parameters);
  /// At these parameters, with the present smoothing.
  double mean_squared_error(tensor::VectorView<const double> parameters);

  std::int64_t parameter_count() const override { return offsets_.back(); }
  std::int64_t residual_count() const override { return inputs_.shape()[1]; }
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;
  void gradient(tensor::VectorView<const double> residuals,
                tensor::VectorView<double> gradient) override;

 private:
  std::size_t hidden() const { return shape_.widths.size(); }
  /// Neurons that a block's layer reads.
  std::int64_t read_by(std::size_t layer) const {
    return layer == 0 ? shape_.inputs : shape_.widths[layer - 1];
  }
  void allocate(std::int64_t padded);
  /// For block `block` of hidden layer `layer`: the position of its first weight, its weights, its
  /// input, and its part of a tensor that holds all neurons of the layer.
  std::int64_t first_weight(std::size_t layer, std::int64_t block) const {
    return offsets_[layer] + block * shape_.widths[layer] * (read_by(layer) + 1);
  }
  tensor::MatrixView<const double> weights(std::size_t layer, std::int64_t block) const;
  tensor::MatrixView<const double> input_of(std::size_t layer, std::int64_t block) const;
  tensor::MatrixView<double> rows_of(tensor::Tensor<double>& all, std::size_t layer,
                                     std::int64_t block) const;
  tensor::MatrixView<const double> output_weights() const;
  void forward(tensor::VectorView<const double> parameters);
  /// Calls visit(first parameter, delta, h) for every matrix of weights from the output down.
  /// output_delta: [n].
  template <class Visit>
  void backward(tensor::VectorView<const double> output_delta, const Visit& visit);

  NetworkShape shape_;
  std::vector<std::int64_t> offsets_;
  double tau_ = 0;
  tensor::Tensor<double> inputs_;                  // [inputs, n], padded by samples of weight zero
  tensor::Tensor<double> targets_, root_weights_;  // [n]
  std::vector<double> parameters_;                 // of the last evaluate()
  std::vector<tensor::Tensor<double>> activation_, slope_,
      delta_;                      // [blocks * width, n], hidden layers
  tensor::Tensor<double> output_;  // [n]
};

}  // namespace asap::region
