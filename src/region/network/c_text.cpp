#include "region/network/c_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "base/error.h"

namespace asap::region {
namespace {

void check_identifier(const std::string& name) {
  static constexpr std::array kKeywords = {
      "auto",    "bool",     "break",    "case",     "char",    "class",    "const",  "continue",
      "default", "delete",   "do",       "double",   "else",    "enum",     "extern", "float",
      "for",     "goto",     "if",       "inline",   "int",     "long",     "main",   "namespace",
      "new",     "operator", "return",   "short",    "signed",  "sizeof",   "static", "struct",
      "switch",  "template", "this",     "typedef",  "union",   "unsigned", "void",   "volatile",
      "while",   "x",        "register", "restrict", "private", "public",   "try",    "using"};
  bool good = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name)
    good = good && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!good || std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end())
    throw base::UsageError("`name` '" + name + "' cannot name a function in C",
                           "use letters, digits and _, for example `name` fitted_curve");
}

/// Text that is safe inside a C comment.
std::string comment_text(std::string text) {
  for (std::size_t at = text.find("*/"); at != std::string::npos; at = text.find("*/"))
    text.replace(at, 2, "* /");
  return text;
}

std::string with_point(std::string text) {
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

template <class Values, class Write>
std::string list(const Values& values, std::size_t per_line, Write write) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i % per_line == 0 ? "    " : " ") + write(values[i]) +
            ((i + 1) % per_line == 0 || i + 1 == values.size() ? ",\n" : ",");
  return text;
}

}  // namespace

CHeader::CHeader(const std::string& name, const std::string& comment)
    : comment_(comment_text(comment)), guard_(c_macro(name) + "_H") {
  check_identifier(name);
  for (std::size_t at = comment_.find('\n'); at != std::string::npos;
       at = comment_.find('\n', at + 4))
    comment_.replace(at, 1, "\n * ");
}

std::string CHeader::text() const {
  return "/* " + comment_ + "\n */\n#ifndef " + guard_ + "\n#define " + guard_ + "\n\n" + code_ +
         "\n#endif\n";
}

std::string c_macro(const std::string& name) {
  std::string macro = name;
  std::transform(macro.begin(), macro.end(), macro.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return macro;
}

std::string c_literal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return with_point(text);
}

std::string c_float_literal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(static_cast<float>(value)));
  return with_point(text) + "f";
}

std::string c_operand(double value) {
  const std::string text = c_literal(value);
  return text.starts_with('-') ? "(" + text + ")" : text;
}

std::string c_list(const std::vector<double>& values) { return list(values, 4, c_literal); }

std::string c_list(const std::vector<std::int64_t>& values) {
  return list(values, 8, [](std::int64_t value) { return std::to_string(value); });
}

}  // namespace asap::region
