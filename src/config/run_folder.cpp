#include "config/run_folder.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "config/matcher_config.h"

namespace asap::config {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step-";

}  // namespace

fs::path RunFolder::checkpoint(std::int64_t step) const {
  char name[32];
  std::snprintf(name, sizeof name, "step-%08lld", static_cast<long long>(step));
  return checkpoints() / name;
}

std::vector<std::int64_t> RunFolder::checkpoint_steps() const {
  std::vector<std::int64_t> steps;
  std::error_code error;
  for (fs::directory_iterator it(checkpoints(), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(kPrefix) || !fs::exists(it->path() / kStateFile)) continue;
    std::int64_t step = 0;
    const char* last = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), last, step);
    if (parsed.ec == std::errc() && parsed.ptr == last) steps.push_back(step);
  }
  std::ranges::sort(steps);
  return steps;
}

std::optional<fs::path> RunFolder::newest_checkpoint() const {
  const std::vector<std::int64_t> steps = checkpoint_steps();
  if (steps.empty()) return std::nullopt;
  return checkpoint(steps.back());
}

fs::path RunFolder::require_checkpoint() const {
  if (const std::optional<fs::path> newest = newest_checkpoint()) return *newest;
  throw base::DataError("'" + path_.string() + "' holds no complete checkpoint",
                        "let asap-train finish, or continue it with --resume");
}

TrainConfig RunFolder::read_config() const {
  if (!fs::exists(config()))
    throw base::DataError(
        "'" + path_.string() + "' is not the folder of a training run: it has no config.json",
        "give the folder that asap-train wrote");
  const io::Json json = io::read_json(config());
  if (is_matcher(json))
    throw base::UsageError(
        "'" + path_.string() + "' holds a matcher, which this command does not know",
        "asap-eval compare and asap-eval predict take matchers");
  TrainConfig result;
  from_json(json, result, config().string());
  result.model.validate_complete(config().string());
  return result;
}

}  // namespace asap::config
