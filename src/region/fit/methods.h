#pragma once

#include <functional>
#include <optional>
#include <string>

#include "region/fit/polish.h"
#include "region/target/target.h"

namespace asap::region {

/// How a network is found. The first four are the paper's and train with Adam, 1500 steps at 0.01
/// on the parameterisation and 5000 at 0.001 on the weights, both with cosine decay.
enum class Method {
  kaiming,  ///< weights of He et al. 2015, Adam on the weights
  skip,     ///< random peaks, Theorem 3.1, Adam on the weights without pretraining
  free,     ///< random peaks, pretraining of peaks and free scales, Adam on the weights
  smooth,   ///< random peaks, pretraining of peaks with scales by Theorem 3.1, Adam on the weights
  best,     ///< curvature folding, Levenberg-Marquardt on the family and on the weights, hops
};

const char* method_name(Method method);
/// UsageError names the nearest method.
Method method_from_name(const std::string& name);

struct FitOptions {
  Method method = Method::best;
  int depth = 5;  ///< hidden layers
  int fold = 0;   ///< pieces of a zigzag, 2 or more; 0: what is best
  std::uint64_t seed = 0;
  int threads = 1;  ///< starts side by side; never changes the result
  /// Work of `best`: starts, and hops of the three best of them and of the last one.
  int starts = 8, first_hops = 6, last_hops = 32;
  /// Called with the part of the work that is done, in [0, 1]; from one thread at a time.
  std::function<void(double)> progress;
};

/// A fitted network.
struct Fit {
  ReluNetwork network;
  std::optional<FoldedFunction> folded;  ///< when the network is a folded function
  std::string description;               ///< how it was found, in words
};

/// Fits one narrow network of one window (width 4, or fold + 1 when larger). The result is a
/// function of target and options only. UsageError for a depth or fold that float64 or memory
/// cannot hold.
Fit fit_network(const Target& target, const FitOptions& options);

/// UsageError when the pieces of windows * fold^depth are smaller than float64 can tell apart or
/// more than can be counted.
void check_size(int depth, int fold, int windows);

}  // namespace asap::region
