#include "io/json.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "io/utf8.h"

namespace asap::io {
namespace {

constexpr int kMaxDepth = 64;

/// "parse error at line 3, column 7: syntax error ..." without the part that the caller adds.
std::string reason(const std::string& what) {
  std::string text = what;
  if (const auto end = text.find("] "); end != std::string::npos) text.erase(0, end + 2);
  if (text.rfind("parse error at", 0) == 0)
    if (const auto end = text.find(": "); end != std::string::npos) text.erase(0, end + 2);
  constexpr std::size_t kLongest = 160;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

/// Refuses what the parser silently accepts: repeated keys and unbounded nesting.
class StructureGuard {
 public:
  explicit StructureGuard(const std::string& source) : source_(source) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kMaxDepth)
      throw base::DataError(source_ + ": nested deeper than " + std::to_string(kMaxDepth) +
                            " levels");
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(parsed.get<std::string>()).second)
      throw base::DataError(source_ + ": the key '" + excerpt(parsed.get<std::string>()) +
                            "' is given twice in one object");
    return true;
  }

 private:
  const std::string& source_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  try {
    StructureGuard guard(source);
    return Json::parse(text.begin(), text.end(), std::ref(guard));
  } catch (const Json::parse_error& error) {
    require_utf8(text, source);  // names UTF-16, which looks like a mistake in the first line
    const std::size_t position = std::min<std::size_t>(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + position, '\n');
    throw base::DataError(source + ":" + std::to_string(line) + ": " + reason(error.what()));
  } catch (const Json::exception& error) {
    throw base::DataError(source + ": " + reason(error.what()));
  }
}

Json parse_json_line(std::string_view line, const std::string& place) {
  try {
    StructureGuard guard(place);
    return Json::parse(line.begin(), line.end(), std::ref(guard));
  } catch (const Json::exception& error) {
    throw base::DataError(place + ": " + reason(error.what()));
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(base::read_file(path), path.string());
}

std::string format_json(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string format_json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write_json(const std::filesystem::path& path, const Json& value) {
  base::write_file_atomically(path, format_json(value));
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::size_t end = 0;  // never within a character
  while (end < text.size() && end < kLongest) {
    const std::size_t next =
        end + std::max<std::size_t>(1, base::character_length(text.substr(end)));
    if (next > kLongest) break;
    end = next;
  }
  std::string shown(text.substr(0, end));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return base::printable(shown) + (end < text.size() ? "..." : "");
}

}  // namespace asap::io
