#pragma once

#include <functional>
#include <optional>
#include <string>

#include "region/fit/polish.h"
#include "region/target/target.h"

namespace asap::region {

/// How a network of one input is fitted. All but `best` are the paper's and train with Adam: 1500
/// steps at 0.01 on the parameterisation, then 5000 at 0.001 on the weights, both with cosine
/// decay. The values are part of the random streams.
enum class Method {
  kaiming = 0,  ///< weights of He et al. 2015, Adam on the weights
  raai = 5,     ///< randomised asymmetric weights of Lu et al. 2019, Adam on the weights
  skip = 1,     ///< random peaks, Theorem 3.1, Adam on the weights without pretraining
  free = 2,     ///< random peaks, pretraining of peaks and free scales, Adam on the weights
  smooth = 3,   ///< random peaks, pretraining of peaks with scales by Theorem 3.1, Adam on weights
  best = 4,     ///< curvature folding, Levenberg-Marquardt on the family and the weights, hops
};

const char* method_name(Method method);
/// All names, in this order.
std::vector<std::string> method_names();
/// UsageError suggests the nearest name.
Method method_from_name(const std::string& name);

struct FitOptions {
  Method method = Method::best;
  int depth = 5;  ///< hidden layers
  int fold = 0;   ///< pieces of a zigzag, 2 or more; 0: chosen by the method
  std::uint64_t seed = 0;
  int threads = 1;  ///< run starts in parallel; never changes the result
  /// Work of `best`: starts, hops of each of the three best, and hops of the last one.
  int starts = 8, first_hops = 6, last_hops = 32;
  bool continue_ends = true;  ///< end pieces go on outside; `best` then has a few more weights
  /// Called with the fraction of the work that is done, in [0, 1]; from one thread at a time.
  std::function<void(double)> progress;
};

/// A fitted network.
struct Fit {
  ReluNetwork network;
  std::optional<FoldedFunction> folded;  ///< when the network is a folded function
  std::string description;               ///< how it was fitted, in words
  std::int64_t freedom = 0;              ///< parameters that noise can use; 0: not counted
  std::optional<double> floor{};         ///< least mse of as many straight pieces, if it is known
};

/// Fits one narrow network of one window. The result is a function of target and options only.
/// UsageError for a depth or fold that float64 or memory cannot hold.
Fit fit_network(const Target& target, const FitOptions& options);

/// UsageError when windows * fold^depth pieces are smaller than float64 can resolve or too many to
/// count.
void check_size(int depth, int fold, int windows);

/// Neurons of each hidden layer of a folded function: at least 4 for one window.
std::int64_t family_width(int fold, int windows);

}  // namespace asap::region
