#include "evaluate/draw/page_parts.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"
#include "base/files.h"

namespace asap::evaluate {
namespace {

constexpr const char* kEnvironmentName = "ASAP_D3";

/// Where packages put it.
constexpr const char* kInstalled[] = {"/usr/share/nodejs/d3/dist/d3.min.js",
                                      "/usr/share/javascript/d3/d3.min.js"};

void replace_all(std::string& text, std::string_view part, std::string_view by) {
  for (std::size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char expected, char character) {
           return std::tolower(static_cast<unsigned char>(character)) == expected;
         });
}

/// The file's content, or nothing when it is not what it should be.
std::string read_library(const std::filesystem::path& path, const std::string& named_by) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw base::UsageError(named_by + ": " + path.string() + " is not there",
                           "name d3.min.js of Debian's package node-d3, or 'none'");
  std::string code = base::read_file(path);
  if (code.substr(0, 200).find("d3") == std::string::npos ||
      code.find("scaleLinear") == std::string::npos)
    throw base::UsageError(named_by + ": " + path.string() + " is not d3",
                           "name d3.min.js of Debian's package node-d3, or 'none'");
  return code;
}

}  // namespace

std::string script_json(const io::Json& value) {
  std::string text = io::format_json_line(value);
  replace_all(text, "<", "\\u003c");
  return text;
}

std::string script_element(std::string_view code) {
  std::string safe;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const bool ends = starts_with_ignoring_case(code.substr(at), "</script");
    safe += code[at];
    if (ends) safe += '\\';
  }
  replace_all(safe, "<!--", "<\\!--");
  return "<script>" + safe + "</script>\n";
}

PlotLibrary find_plot_library(const std::filesystem::path& chosen) {
  const char* variable = std::getenv(kEnvironmentName);
  const std::string from_environment = variable ? variable : "";
  const std::filesystem::path named =
      chosen.empty() ? std::filesystem::path(from_environment) : chosen;
  if (named == "none") return {};
  if (!named.empty())
    return {read_library(named, chosen.empty() ? kEnvironmentName : "`plot_library`"),
            named.string()};
  std::error_code ignored;
  for (const char* path : kInstalled)
    if (std::filesystem::is_regular_file(path, ignored)) return {base::read_file(path), path};
  return {};
}

}  // namespace asap::evaluate
