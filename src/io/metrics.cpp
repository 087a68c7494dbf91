#include "io/metrics.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

namespace asap::io {
namespace {

/// The complete lines of `text` whose step is at most `last_step`.
std::string lines_up_to(std::string_view text, std::int64_t last_step) {
  std::string kept;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    const Json line = Json::parse(text.substr(0, end), nullptr, false);
    if (!line.is_object()) continue;
    const auto step = line.find("step");
    if (step == line.end() || !step->is_number_integer()) continue;
    if (step->get<std::int64_t>() <= last_step) kept += text.substr(0, end + 1);
  }
  return kept;
}

}  // namespace

MetricsWriter::MetricsWriter(const std::filesystem::path& path, std::int64_t resumed_step)
    : path_(path) {
  std::error_code ignored;
  const bool resuming = resumed_step >= 0 && std::filesystem::exists(path, ignored);
  base::write_file_atomically(path,
                              resuming ? lines_up_to(base::read_file(path), resumed_step) : "");
  file_.reset(std::fopen(path.c_str(), "ab"));
  if (!file_)
    throw base::DataError("cannot append to '" + path.string() + "': " + std::strerror(errno));
}

void MetricsWriter::write(const Json& line) {
  base::check(line.is_object() && line.contains("step") && line["step"].is_number_integer(),
              "MetricsWriter: a line needs an integer step");
  const std::string text = format_json_line(line) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fflush(file_.get()) != 0)
    throw base::DataError("cannot write '" + path_.string() + "': " + std::strerror(errno),
                          "free some space on the disk or choose another folder");
}

void MetricsWriter::sync() {
  if (::fdatasync(::fileno(file_.get())) != 0)
    throw base::DataError("cannot sync '" + path_.string() + "': " + std::strerror(errno));
}

}  // namespace asap::io
