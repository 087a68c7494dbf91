#include "cli/run_header.h"

#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "base/version.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "cli/wrapped.h"
#include "config/run_folder.h"
#include "io/json.h"

namespace asap::cli {
namespace {

constexpr std::size_t kNameWidth = 12;  // the longest name, "parameters", and two blanks

}  // namespace

RunHeader::RunHeader(const CommonOptions& options, const std::string& title,
                     std::optional<std::uint64_t> seed)
    : RunHeader(std::cerr, options, title, seed) {}

RunHeader::RunHeader(std::ostream& stream, const CommonOptions& options, const std::string& title,
                     std::optional<std::uint64_t> seed)
    : stream_(options.prints_text() ? &stream : nullptr) {
  if (!stream_) return;
  *stream_ << title << " " << base::version() << std::endl;
  add("threads", std::to_string(options.threads));
  if (seed) add("seed", std::to_string(*seed));
  add("SIMD", simd_name());
}

RunHeader& RunHeader::add_run(const std::filesystem::path& run) {
  const config::RunFolder folder(run);
  if (!stream_ || !std::filesystem::exists(folder.config())) return *this;
  add("run", run.string());
  add("model", config::describe_model(folder.read_config().model));
  if (!std::filesystem::exists(folder.summary())) return *this;
  const io::Json model = io::read_json(folder.summary()).value("model", io::Json::object());
  const std::int64_t parameters = model.value("parameters", std::int64_t{0});
  return parameters > 0 ? add("parameters", base::format_count(parameters)) : *this;
}

RunHeader& RunHeader::add(const std::string& name, const std::string& value) {
  if (!stream_) return *this;
  const std::size_t blanks = name.size() < kNameWidth ? kNameWidth - name.size() : 1;
  const auto indent = static_cast<int>(2 + name.size() + blanks);
  const Terminal terminal = stream_ == &std::cerr ? terminal_on_stderr() : Terminal{};
  *stream_ << "  " << name << std::string(blanks, ' ')
           << (terminal.interactive ? wrapped(value, indent, terminal.columns) : value)
           << std::endl;
  return *this;
}

}  // namespace asap::cli
