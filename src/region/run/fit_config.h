#pragma once

#include "config/config_fields.h"
#include "region/fit/methods.h"

namespace asap::region {

/// What `relu-fit fit` does; one of `function` and `data` is given. With `inputs` or `target` it
/// fits a function of several variables (TableRun), else one of x (FitRun).
struct FitConfig {
  std::string function;
  std::string data;
  std::vector<std::string> inputs;  ///< names of the variables; none: one input, x
  std::string target;               ///< column of `data` to be fitted, for several inputs
  double low = 0, high = 1;
  bool cut_data = false;
  int points = 0;
  Method method = Method::best;
  int depth = 5;
  int fold = 0;
  int windows = 0;
  double tolerance = 0;
  bool keep_shape = false;
  bool difference = false;
  int ridges = 0;
  double validation = 0.2, test = 0.2;
  bool compare = false;
  std::string name = "relu_fit";
  std::uint64_t seed = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("function", function, "formula of x, or a built-in target: x3, x11");
    v.field("data", data, "file of points: x, y and perhaps a weight");
    v.field("inputs", inputs, "variables of `function`, or columns of `data`; none: x alone");
    v.field("target", target, "column of `data` to be fitted to all others, or to `inputs`");
    v.field("low", low, "left end of the interval");
    v.field("high", high, "right end of the interval");
    v.field("cut_data", cut_data, "use only the points of `data` inside the interval");
    v.field("points", points, "training points of a function; 0: 500, and 2000 for several inputs",
            config::between(0, 1'000'000));
    v.choice("method", method,
             {{"kaiming", Method::kaiming},
              {"skip", Method::skip},
              {"free", Method::free},
              {"smooth", Method::smooth},
              {"best", Method::best}},
             "how the network is found");
    v.field("depth", depth, "hidden layers");
    v.field("fold", fold, "pieces of a zigzag; 0: what is best");
    v.field("windows", windows, "windows side by side; 0: none, one narrow network");
    v.field("tolerance", tolerance, "largest error allowed, in units of y; 0: the size is given",
            config::at_least(0));
    v.field("keep_shape", keep_shape, "stay convex or concave, and monotone, by construction");
    v.field("difference", difference, "difference of two convex networks");
    v.field("ridges", ridges,
            "region networks side by side, for several inputs; 0: what validates best, up to 8",
            config::between(0, 64));
    v.field("validation", validation, "part of the rows that chooses between fits",
            config::between(0.05, 0.5));
    v.field("test", test, "part of the rows that judges", config::between(0.05, 0.5));
    v.field("compare", compare,
            "also fit Kaiming, dense, Kolmogorov-Arnold and linear models, for several inputs");
    v.field("name", name, "name of the function in the C header");
    v.field("seed", seed, "random peaks, noise of the starts and hops");
  }

  /// A table of inputs and a target rather than points along x.
  bool several_inputs() const { return !inputs.empty() || !target.empty(); }
  int training_points() const { return points > 0 ? points : several_inputs() ? 2000 : 500; }
  /// UsageError when fields contradict each other.
  void validate() const;
};

}  // namespace asap::region
