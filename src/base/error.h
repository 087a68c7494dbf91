#pragma once

#include <stdexcept>
#include <string>

namespace asap::base {

/// Why a command failed. The value is the exit code of the process.
enum class ErrorKind { usage = 2, data = 3, numerical = 4, internal = 70 };

/// Base of every error the toolkit throws on purpose. `what()` is one line that names the file,
/// field or flag and what was expected; `hint()` says what to do about it and may be empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string hint)
      : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

/// The command cannot run as it was given: a flag, a configuration field, a combination.
struct UsageError : Error {
  explicit UsageError(const std::string& message, std::string hint = "")
      : Error(ErrorKind::usage, message, std::move(hint)) {}
};

/// A file is missing, damaged or does not hold what was expected.
struct DataError : Error {
  explicit DataError(const std::string& message, std::string hint = "")
      : Error(ErrorKind::data, message, std::move(hint)) {}
};

/// A computation diverged or cannot be carried out in floating point.
struct NumericalError : Error {
  explicit NumericalError(const std::string& message, std::string hint = "")
      : Error(ErrorKind::numerical, message, std::move(hint)) {}
};

/// A broken invariant of the toolkit itself.
struct InternalError : Error {
  explicit InternalError(const std::string& message)
      : Error(ErrorKind::internal, message, "this is a defect of the toolkit; please report it") {}
};

/// Throws InternalError when a precondition between parts of the toolkit does not hold. Not for
/// user input: that deserves a message in the user's own words.
inline void check(bool condition, const char* message) {
  if (!condition) [[unlikely]]
    throw InternalError(message);
}

}  // namespace asap::base
