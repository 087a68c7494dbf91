#pragma once

#include <string>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::c_source {

/// UsageError, which names `name`, unless it can be the prefix of names in C.
void require_prefix(const std::string& name);

/// In capitals, for macros.
std::string in_capitals(std::string name);

/// A literal that every C99 compiler reads as exactly this float. DataError, which names `what`,
/// unless it is finite.
std::string float_literal(float value, const std::string& what);

/// A literal that reads back as the same double.
std::string double_literal(double value);

/// A string literal of ASCII characters alone, whatever the bytes of `text`.
std::string string_literal(const std::string& text);

/// Text that may stand within a comment, line breaks become spaces.
std::string comment_text(std::string text);

/// All of `text` with `to` in place of `from`.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// Constants of a file under construction.
class Constants {
 public:
  /// Adds an array of floats, unless it is empty, and returns what names it in C: `name`, or NULL.
  /// Characters of `name` that C does not allow become _. DataError names a value that is not
  /// finite.
  std::string array(const std::string& name, tensor::VectorView<const float> values);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace asap::c_source
