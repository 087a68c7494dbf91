#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/main.h"
#include "cli/options.h"
#include "config/config_fields.h"
#include "io/json.h"
#include "region/target/target.h"

namespace asap {

/// One subcommand of relu-fit: registers its options and, once they are parsed, does its work.
class Command {
 public:
  virtual ~Command() = default;
  virtual CLI::App* add_to(CLI::App& app) = 0;
  virtual void run() = 0;
  /// Keys of its configuration, if it has one.
  virtual std::vector<config::FieldDescription> keys() const { return {}; }
};

std::unique_ptr<Command> fit_command();
std::unique_ptr<Command> bench_command();
std::unique_ptr<Command> regions_command();
std::unique_ptr<Command> floor_command();
std::unique_ptr<Command> eval_command();
std::unique_ptr<Command> export_command();
std::vector<std::unique_ptr<Command>> all_commands();

/// --function, --data and --interval, which several commands share.
struct TargetFlags {
  std::string function, data;
  std::vector<std::string> interval;  ///< two numbers or constant formulas, "0" "2*pi"

  void add_to(CLI::App& command);
  bool given() const { return !function.empty() || !data.empty(); }
  /// The bounds; UsageError for text that is not a constant.
  std::optional<numerics::Interval> bounds() const;
  /// UsageError unless exactly one of function and data is given.
  region::Target target() const;
};

/// Prints the result; with --out also writes summary.json, last.
void finish(const cli::CommonOptions& options, const io::Json& summary, const std::string& text);

}  // namespace asap
