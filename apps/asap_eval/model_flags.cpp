#include "asap_eval/model_flags.h"

#include "base/error.h"
#include "config/run_folder.h"

namespace asap::asap_eval {

void ModelFlags::add_to(CLI::App& command, bool takes_operator) {
  command.add_option("--run", run_, "Run folder of asap-train")->type_name("DIR");
  command.add_option("--model", model_, "In place of --run: file of asap-eval bundle")
      ->type_name("FILE");
  if (!takes_operator) return;
  command
      .add_option("--compiled", compiled_,
                  "Operator folder of asap-compile; default: the bundle's, if it has one")
      ->type_name("DIR");
}

const std::filesystem::path& ModelFlags::path() const {
  if (run_.empty() == model_.empty())
    throw base::UsageError("one of --run and --model is needed",
                           "--run names a folder of asap-train, --model a file of asap-eval "
                           "bundle");
  std::error_code ignored;
  if (!run_.empty()) {
    if (!std::filesystem::is_directory(run_, ignored))
      config::RunFolder(run_).read_config();  // whose message says what a run is
    return run_;
  }
  if (std::filesystem::is_directory(model_, ignored))
    throw base::UsageError("--model '" + model_.string() + "' is a folder",
                           "a run is named by --run DIR");
  return model_;
}

void ModelFlags::describe(cli::RunHeader& header) const {
  if (is_bundle())
    header.add("model", model_.string());
  else
    header.add_run(run_);
  if (!compiled_.empty()) header.add("operator", compiled_.string());
}

}  // namespace asap::asap_eval
