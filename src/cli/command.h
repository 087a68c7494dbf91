#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_fields.h"

namespace asap::cli {

/// One command of a program. Commands are used once, in this order: add_to, keys, run.
class Command {
 public:
  virtual ~Command() = default;
  /// Registers the options, on a new subcommand of `program` or, in a program that is one command,
  /// on `program` itself. Returns where they are. Parsing fills this object, which must live on.
  virtual CLI::App* add_to(CLI::App& program) = 0;
  /// The keys of the configuration that --set and --config take; empty: the command has none, and
  /// none of the options --set, --config and --dump-config.
  virtual std::vector<config::FieldDescription> keys() const { return {}; }
  /// Whether the command draws random numbers; others have no option --seed.
  virtual bool draws_random_numbers() const { return false; }
  /// Whether the command works in several processes of mpirun or srun; others refuse to.
  virtual bool works_in_ranks() const { return false; }
  /// Does the work. Called after the options are parsed.
  virtual void run() = 0;
};

/// A program: its name, the first line of its help, what its manual page says of it, and its
/// commands.
struct Program {
  std::string name;  ///< "asap-eval"
  std::string summary;
  std::string description;
  std::vector<std::unique_ptr<Command> (*)()> commands;
};

/// The main function of every program: parses the command line, runs the command it names and
/// returns the exit code of run_main (cli/main.h).
int run_program(const Program& program, int argc, const char* const* argv);

}  // namespace asap::cli
