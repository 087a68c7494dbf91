#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"

namespace asap::predict {

/// What happens to inputs that cannot be answered: the first ends the command, or all are reported
/// and counted and the others are answered.
class Faults {
 public:
  /// `line`: of the input, from 1; 0 where there are no lines.
  using Report = std::function<void(const base::DataError& error, std::int64_t line)>;

  /// Throws the first.
  Faults() = default;
  /// Reports and counts each.
  explicit Faults(Report report) : report_(std::move(report)) {}

  void add(const base::DataError& error, std::int64_t line = 0) {
    if (!report_)
      throw base::DataError(error.what(), error.hint() + (error.hint().empty() ? "" : "; ") +
                                              "`keep_going` answers the others");
    ++count_;
    report_(error, line);
  }
  std::int64_t count() const { return count_; }

 private:
  Report report_;
  std::int64_t count_ = 0;
};

}  // namespace asap::predict
