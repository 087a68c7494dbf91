#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace asap::region {

/// A header of C code under construction: a comment and an include guard around what is added.
class CHeader {
 public:
  /// UsageError when `name` cannot name a function in C.
  CHeader(const std::string& name, const std::string& comment);
  void add(const std::string& code) { code_ += code; }
  std::string text() const;

 private:
  std::string comment_, guard_, code_;
};

/// The name in capitals, for macros.
std::string c_macro(const std::string& name);

/// A literal that reads back as the same double.
std::string c_literal(double value);
/// The nearest float as a literal, with the suffix f.
std::string c_float_literal(double value);
/// The same in brackets where it begins with a minus.
std::string c_operand(double value);

/// The lines between the braces of an array, each number followed by a comma.
std::string c_list(const std::vector<double>& values);
std::string c_list(const std::vector<std::int64_t>& values);

}  // namespace asap::region
