#include "cli/command.h"

#include "base/error.h"
#include "cli/flag_names.h"
#include "cli/job.h"
#include "cli/main.h"
#include "cli/options.h"

namespace asap::cli {
namespace {

struct RegisteredCommand {
  std::unique_ptr<Command> command;
  const CLI::App* parsed;  // where its options are
  std::vector<config::FieldDescription> keys;
};

/// Options that the command would accept and do nothing with.
void leave_out(CLI::App& parsed, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (CLI::Option* option = parsed.get_option_no_throw(name)) parsed.remove_option(option);
}

std::vector<RegisteredCommand> register_commands(const Program& program, CLI::App& app) {
  std::vector<RegisteredCommand> registered;
  for (const auto make_command : program.commands) {
    std::unique_ptr<Command> command = make_command();
    CLI::App* parsed = command->add_to(app);
    std::vector<config::FieldDescription> keys = command->keys();
    if (keys.empty()) leave_out(*parsed, {"--config", "--set", "--dump-config"});
    if (!command->draws_random_numbers()) leave_out(*parsed, {"--seed"});
    registered.push_back({std::move(command), parsed, std::move(keys)});
  }
  return registered;
}

std::vector<CommandKeys> keys_of(const std::vector<RegisteredCommand>& commands) {
  std::vector<CommandKeys> keys;
  for (const RegisteredCommand& each : commands)
    if (!each.keys.empty()) keys.push_back({each.parsed, each.keys});
  return keys;
}

/// Joins the job of mpirun or srun, if there is one.
void join_ranks(const RegisteredCommand& registered) {
  const distributed::Ranks& ranks = distributed::join_job();
  if (!registered.command->works_in_ranks()) require_single_process(ranks, "this command");
}

/// Runs the command; its errors name flags where modules named fields.
void run_command(const RegisteredCommand& registered) {
  try {
    join_ranks(registered);
    registered.command->run();
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), name_flags(error.what(), *registered.parsed),
                      name_flags(error.hint(), *registered.parsed));
  }
}

}  // namespace

int run_program(const Program& program, int argc, const char* const* argv) {
  return run_main(program.name, argc, argv, [&](const Arguments& arguments) {
    CLI::App app(program.summary);
    const std::vector<RegisteredCommand> commands = register_commands(program, app);
    if (commands.front().parsed != &app) {
      add_information_options(app, program.name);
      app.require_subcommand(1);
    }
    arguments.parse(app, keys_of(commands), program.description);
    for (const RegisteredCommand& each : commands)
      if (each.parsed->parsed()) return run_command(each);
  });
}

}  // namespace asap::cli
