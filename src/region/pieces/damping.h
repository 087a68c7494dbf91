#pragma once

#include <algorithm>

namespace asap::region {

/// The damping of the steps of a refinement: less after a step that helps, more and more after
/// steps that do not (Nielsen 1999).
class Damping {
 public:
  double value() const { return value_; }
  /// True after a few steps in a row that hardly helped, and when nothing helps any more.
  bool ends() const { return idle_ >= kPatience || value_ > kLargest; }

  void helped(double before, double after) {
    idle_ = after > (1 - kLeastGain) * before ? idle_ + 1 : 0;
    value_ = std::max(value_ / 5, kSmallest);
    growth_ = 2;
  }
  void failed() {
    value_ *= growth_;
    growth_ *= 2;
  }

 private:
  static constexpr int kPatience = 4;
  static constexpr double kLeastGain = 1e-7, kSmallest = 1e-13, kLargest = 1e12;

  double value_ = 1e-3, growth_ = 2;
  int idle_ = 0;
};

}  // namespace asap::region
