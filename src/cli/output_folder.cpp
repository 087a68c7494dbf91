#include "cli/output_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "base/files.h"
#include "cli/summary.h"
#include "config/run_folder.h"
#include "distributed/job/launched_job.h"

namespace asap::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCommandFile = "command.json";
constexpr const char* kTraining = "asap-train";

/// "asap-eval compare"
std::string command_name(const CommonOptions& options) {
  const CLI::App* command = options.command;
  return command->get_parent() ? options.program + " " + command->get_name() : options.program;
}

/// Options that do not change what is in the folder.
bool is_setting(const std::string& name) {
  static constexpr std::array kOthers = {"out",       "threads",     "quiet", "verbose", "json",
                                         "overwrite", "dump-config", "help",  "version"};
  return std::ranges::find(kOthers, name) == kOthers.end();
}

/// A value of an option; the same for every way to write the path of an existing file.
std::string setting_value(const CLI::Option& option, const std::string& text) {
  const std::string type = option.get_type_name();
  std::error_code error;
  if ((type != "DIR" && type != "FILE" && type != "RUN") || !fs::exists(text, error)) return text;
  const fs::path whole = fs::canonical(text, error);
  return error ? text : whole.string();
}

/// The options that were given, by name; instead of the name of the --config file, its content.
/// Null when nobody can know.
io::Json given_settings(const CommonOptions& options) {
  io::Json settings = io::Json::object();
  for (const CLI::Option* option : options.command->get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (!is_setting(name)) continue;
    for (const std::string& value : option->results())
      settings[name].push_back(setting_value(*option, value));
  }
  if (options.config.empty()) return settings;
  if (!fs::is_regular_file(options.config)) return nullptr;  // a pipe, which was read already
  settings["config"] = io::read_json(options.config);
  return settings;
}

/// Whose results a folder holds.
struct Results {
  std::string command;  ///< empty: unknown, for a folder of an earlier version
  io::Json settings;    ///< null: unknown
};

bool holds_training(const fs::path& folder) {
  const config::RunFolder run(folder);
  return fs::exists(run.config()) &&
         (fs::exists(run.metrics()) || fs::exists(run.checkpoints()) || fs::exists(run.summary()));
}

/// Null when the folder holds no results.
std::optional<Results> results_in(const fs::path& folder) {
  if (holds_training(folder)) return Results{kTraining, nullptr};
  if (fs::exists(folder / kCommandFile)) {
    const io::Json json = io::read_json(folder / kCommandFile);
    const auto command = json.is_object() ? json.find("command") : json.end();
    if (command == json.end() || !command->is_string()) return Results{};
    return Results{command->get<std::string>(), json.value("settings", io::Json())};
  }
  if (fs::exists(folder / "operator.json")) return Results{"asap-compile", nullptr};
  if (fs::exists(folder / "summary.json")) return Results{};
  return std::nullopt;
}

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

void refuse_other_results(const CommonOptions& options, const io::Json& settings) {
  const std::optional<Results> there = results_in(options.out);
  if (!there) return;
  const std::string name = command_name(options);
  if (there->command == kTraining)
    throw base::UsageError("--out " + quoted(options.out) + " holds a training run",
                           "choose another folder for the results of " + name);
  if (!there->command.empty() && there->command != name)
    throw base::UsageError(
        "--out " + quoted(options.out) + " holds the results of " + io::excerpt(there->command),
        "choose another folder for those of " + name);
  if (options.overwrite || (!there->settings.is_null() && there->settings == settings)) return;
  const std::string what = there->command.empty()      ? "results of an unknown command"
                           : there->settings.is_null() ? "results with unknown settings"
                                                       : "results with other settings";
  throw base::UsageError("--out " + quoted(options.out) + " holds " + what,
                         "choose another folder, or replace them with --overwrite");
}

}  // namespace

OutputFolder::OutputFolder(const CommonOptions& options, bool required) : options_(&options) {
  if (required) options.required_out();
  if (path().empty() || !distributed::joined_job().leads()) return;
  settings_ = given_settings(options);
  refuse_other_results(options, settings_);
  make();
}

void OutputFolder::make() {
  for (fs::path folder = fs::absolute(path()).lexically_normal();
       !folder.empty() && !fs::exists(fs::symlink_status(folder)) && folder != folder.parent_path();
       folder = folder.parent_path())
    first_made_ = folder;
  base::make_directories(path());
  if (::access(path().c_str(), W_OK | X_OK) != 0)
    throw base::DataError("--out " + quoted(path()) + ": " + std::strerror(errno),
                          "name a folder that you may write to");
}

OutputFolder::~OutputFolder() {
  if (first_made_.empty() || begun_) return;
  std::error_code error;
  fs::path folder = fs::absolute(path(), error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  // Removing a folder that is not empty fails, which ends the way up.
  while (!error && fs::remove(folder, error) && folder != first_made_)
    folder = folder.parent_path();
}

void OutputFolder::begin() {
  if (begun_ || path().empty() || !distributed::joined_job().leads()) return;
  fs::remove(path() / "summary.json");  // says that the results are complete; they are not
  io::write_json(path() / kCommandFile,
                 {{"command", command_name(*options_)}, {"settings", settings_}});
  begun_ = true;
}

void OutputFolder::finish(const io::Json& summary, const std::string& text) {
  if (!distributed::joined_job().leads()) return;
  begin();
  if (!path().empty()) io::write_json(path() / "summary.json", summary);
  print_summary(*options_, summary, text);
}

void refuse_results_of_others(const CommonOptions& options) {
  const std::optional<Results> there = results_in(options.out);
  if (!there || there->command == kTraining) return;
  const std::string whose =
      there->command.empty() ? "an unknown command" : io::excerpt(there->command);
  throw base::UsageError("--out " + quoted(options.out) + " holds the results of " + whose,
                         "choose another folder for the training run");
}

}  // namespace asap::cli
