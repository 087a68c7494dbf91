#include "c_source/c_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace asap::c_source {
namespace {

constexpr std::size_t kPerLine = 6;

bool is_letter_or_digit(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9');
}

}  // namespace

void require_prefix(const std::string& name) {
  bool good = !name.empty() && is_letter_or_digit(name[0]) && (name[0] < '0' || name[0] > '9');
  for (const char c : name) good = good && (is_letter_or_digit(c) || c == '_');
  if (!good)
    throw base::UsageError("`name` '" + name + "' cannot begin the name of a function in C",
                           "use letters, digits and _, for example `name` digits");
}

std::string in_capitals(std::string name) {
  for (char& c : name)
    if ('a' <= c && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name;
}

std::string float_literal(float value, const std::string& what) {
  if (!std::isfinite(value))
    throw base::DataError(what + " holds a number that is not finite",
                          "train or compile the network again");
  std::array<char, 40> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), std::abs(value), std::chars_format::hex).ptr;
  return (std::signbit(value) ? "-0x" : "0x") + std::string(digits.begin(), end) + "f";
}

std::string double_literal(double value) {
  std::array<char, 40> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  std::string text(digits.begin(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string string_literal(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' || c == '?') {  // ? begins trigraphs
      std::array<char, 8> octal;
      std::snprintf(octal.data(), octal.size(), "\\%03o", static_cast<unsigned>(byte));
      out += octal.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string comment_text(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  text = replaced(std::move(text), "*/", "* /");
  return replaced(std::move(text), "/*", "/ *");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string Constants::array(const std::string& name, tensor::VectorView<const float> values) {
  if (values.empty()) return "NULL";
  std::string symbol = name;
  std::ranges::replace_if(
      symbol, [](char c) { return !is_letter_or_digit(c); }, '_');
  text_ += "static const float " + symbol + "[] = {";
  for (std::size_t i = 0; i < values.size(); ++i) {
    text_ += i % kPerLine == 0 ? "\n    " : " ";
    text_ += float_literal(values[i], name) + ",";
  }
  text_ += "\n};\n";
  return symbol;
}

}  // namespace asap::c_source
