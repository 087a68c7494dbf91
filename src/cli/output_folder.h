#pragma once

#include <filesystem>
#include <string>

#include "cli/options.h"
#include "io/json.h"

namespace asap::cli {

/// The --out folder of a command, from its first check to summary.json. A folder of results holds
/// command.json, which names the command and its settings, so that no results get lost:
///
///   OutputFolder folder(common_);           // refuses the results of others, makes the folder
///   ...                                     // compute
///   folder.begin();                         // earlier results of this command go from here on
///   write(folder.path() / "network.json");
///   folder.finish(summary, text);           // summary.json, last
///
/// Of several ranks the first alone checks and writes; for the others all this does nothing.
class OutputFolder {
 public:
  /// UsageError when the folder holds a training run, the results of another command, or without
  /// --overwrite the results of this command with other settings or of an unknown command.
  /// Without --out, a folder that is not `required` is no folder: nothing is written.
  explicit OutputFolder(const CommonOptions& options, bool required = true);
  /// Removes the folders that it made if nothing was written into them.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return options_->out; }
  /// Removes the summary of earlier results and writes command.json. Call it before writing.
  void begin();
  /// Writes summary.json and prints it with --json, `text` otherwise, nothing with --quiet.
  void finish(const io::Json& summary, const std::string& text);

 private:
  void make();

  const CommonOptions* options_;
  io::Json settings_;
  std::filesystem::path first_made_;  // the uppermost folder that did not exist
  bool begun_ = false;
};

/// UsageError when the folder of a training holds the results of another command.
void refuse_results_of_others(const CommonOptions& options);

}  // namespace asap::cli
