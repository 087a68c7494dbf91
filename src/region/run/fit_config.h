#pragma once

#include "config/config_fields.h"
#include "numerics/curve.h"
#include "region/fit/pieces_fit.h"

namespace asap::region {

/// The configuration of a fit, whatever the number of inputs. Either `function` or `data` is given.
/// With `inputs` or `target` the samples are rows of several inputs (run_ridge_fit()), otherwise
/// points of one variable (run_fit()).
struct FitConfig {
  std::string function;
  std::string data;
  std::vector<std::string> inputs;                ///< names of several inputs; none: one input, x
  std::string target;                             ///< column of `data` to fit, for several inputs
  std::string x_column, y_column, weight_column;  ///< of `data`, for one input; see ChosenColumns
  double low = 0, high = 1;
  bool cut_data = false;
  int points = 0;
  Method method = Method::best;
  int depth = 5;
  int fold = 0;
  int windows = 0;
  double tolerance = 0;
  std::string pieces;  ///< a number, or "auto"; empty: no fit of straight pieces
  Loss loss = Loss::squares;
  Criterion criterion = Criterion::bic;
  int jumps = 0;
  std::string monotone;  ///< "increasing" or "decreasing"; empty: neither
  bool convex = false, concave = false;
  std::vector<std::string> shape;    ///< on a part of x, "convex:0,2"
  std::string slope_bounds;          ///< "LO,HI"
  std::string value_bounds;          ///< "LO,HI"
  std::vector<std::string> through;  ///< "X,Y"
  bool keep_shape = false;
  bool difference = false;
  bool open_ends = false;
  int ridges = 0;
  double validation = 0.2, test = 0.2;
  bool compare = false;
  std::string name = "relu_fit";
  std::uint64_t seed = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("function", function, "formula to fit, or a built-in name: x3, x11");
    v.field("data", data,
            "file to fit: points x, y and optionally a weight, or rows of several inputs");
    v.field("inputs", inputs,
            "several inputs: variables of `function`, or columns of `data`; none: x alone");
    v.field("target", target,
            "column of `data` to fit, by name or number from 1; all others, or `inputs`, are the "
            "inputs");
    v.field("x_column", x_column,
            "column of `data` that is x, for one input: name, or number from 1; empty: by the "
            "header, or the first");
    v.field("y_column", y_column,
            "column of `data` that is y; empty: by the header, or the second");
    v.field("weight_column", weight_column,
            "column of `data` with weights, inverse variances; empty: by the header, or the third");
    v.field("low", low, "left end of the interval of every input");
    v.field("high", high, "right end of the interval of every input");
    v.field("cut_data", cut_data, "use only the points of `data` inside the interval");
    v.field("points", points,
            "training samples of a function; 0: 500 points, or 2000 rows of several inputs",
            config::between(0, 1'000'000));
    v.choice("method", method,
             {{"kaiming", Method::kaiming},
              {"raai", Method::raai},
              {"skip", Method::skip},
              {"free", Method::free},
              {"smooth", Method::smooth},
              {"best", Method::best}},
             "how a network of one input is fitted");
    v.field("depth", depth, "hidden layers");
    v.field("fold", fold, "pieces of a zigzag; 0: chosen by the method");
    v.field("windows", windows, "windows side by side; 0: one narrow network", config::at_least(0));
    v.field(
        "tolerance", tolerance,
        "largest error allowed, in units of y, with as few parameters as can be found; 0: no limit",
        config::at_least(0));
    v.field("pieces", pieces,
            "straight pieces with free knots in one hidden layer: their number, or auto (by "
            "`criterion`)");
    v.choice("loss", loss, {{"squares", Loss::squares}, {"huber", Loss::huber}},
             "what `pieces` minimises; huber bounds the influence of outliers");
    v.choice("criterion", criterion, {{"bic", Criterion::bic}, {"cv", Criterion::cv}},
             "what chooses the number of `pieces`: bic for independent noise, cv "
             "(cross-validation) for predictions between the points");
    v.field("jumps", jumps, "largest number of jumps between the `pieces` of `data`",
            config::between(0, kMostSearchedPieces));
    v.field("monotone", monotone, "`pieces` are increasing or decreasing; empty: neither");
    v.field("convex", convex, "`pieces` are convex");
    v.field("concave", concave, "`pieces` are concave");
    v.field("shape", shape,
            "shapes of `pieces` on parts of x: increasing:LO,HI, decreasing, convex, concave");
    v.field("slope_bounds", slope_bounds, "LO,HI: bounds of the slopes of `pieces`");
    v.field("value_bounds", value_bounds, "LO,HI: bounds of the values of `pieces`");
    v.field("through", through, "points X,Y that `pieces` must pass through");
    v.field("keep_shape", keep_shape,
            "stay convex or concave, and monotone, like the target, by construction");
    v.field(
        "open_ends", open_ends,
        "leave raw weights as they are outside the interval, instead of adding neurons by which "
        "the end pieces go on");
    v.field("difference", difference, "fit the difference of two convex networks");
    v.field(
        "ridges", ridges,
        "region-constrained networks side by side, for several inputs; 0: chosen by validation, up "
        "to 8",
        config::between(0, 64));
    v.field("validation", validation, "fraction of the rows that chooses between fits",
            config::between(0.05, 0.5));
    v.field("test", test, "fraction of the rows that measures the result",
            config::between(0.05, 0.5));
    v.field("compare", compare,
            "also fit Kaiming, dense, Kolmogorov-Arnold and linear models, for several inputs");
    v.field("name", name, "name of the function in the C header");
    v.field("seed", seed, "seed of random peaks, noise and splits");
  }

  /// Rows of several inputs rather than points of one variable.
  bool several_inputs() const { return !inputs.empty() || !target.empty(); }
  bool chooses_columns() const {
    return !x_column.empty() || !y_column.empty() || !weight_column.empty();
  }
  numerics::Interval interval() const { return {low, high}; }
  /// The number in `pieces`; 0 for auto. UsageError for anything else.
  int number_of_pieces() const;
  /// What `monotone`, `convex`, `concave`, `shape`, `slope_bounds`, `value_bounds` and `through`
  /// say. UsageError for text that cannot be read.
  PiecesConstraints constraints() const;
  /// Training samples of a function.
  int training_points() const { return points > 0 ? points : several_inputs() ? 2000 : 500; }
  /// UsageError when fields contradict each other; it names them in backquotes.
  void validate() const;
};

}  // namespace asap::region
