#pragma once

#include <string>
#include <vector>

#include "region/certify/jet.h"

namespace asap::region {

/// A formula of x that evaluates to jets: the same language as compile_formula(). It may be shared
/// between threads.
class Expression {
 public:
  /// UsageError as from compile_formula(). The numbers of a formula are those that float64 reads;
  /// its constant parts, such as 1/3, have the values that muParser computes.
  explicit Expression(const std::string& formula);

  /// The jet on all x of an enclosure. Functions without a jet (atan2) give Jet::unknown().
  Jet on(Enclosure x) const;

 private:
  enum class Operation {
    number,
    variable,
    function,
    unknown,
    select,
    sum,
    mean,
    smallest,
    largest,
    add,
    subtract,
    multiply,
    divide,
    power,
    less,
    equal,
    both,
    one
  };
  struct Step {
    Operation operation;
    double number = 0;
    JetFunction function = nullptr;
    int arguments = 0;
    bool reversed = false;  ///< of the arguments of `less`
    bool negated = false;   ///< of the result of `less` and `equal`
  };

  static Step call(const std::string& name, int arguments);
  static Jet apply(const Step& step, const Jet* arguments);

  std::vector<Step> steps_;
};

}  // namespace asap::region
