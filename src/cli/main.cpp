#include "cli/main.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/completion.h"
#include "cli/interrupt.h"
#include "cli/man_page.h"
#include "cli/options.h"
#include "cli/standard_output.h"
#include "distributed/job/launched_job.h"

namespace asap::cli {
namespace {

/// Thrown after --help or --version has printed its text, to end the program.
struct Finished {};

/// The innermost subcommand on the command line, or the program itself.
const CLI::App& selected_command(const CLI::App& app) {
  const CLI::App* selected = &app;
  while (!selected->get_subcommands().empty()) selected = selected->get_subcommands().front();
  return *selected;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// "asap-eval compare --help"
std::string help_hint(const CLI::App& root, const CLI::App& command) {
  const std::string path =
      &root == &command ? root.get_name() : root.get_name() + " " + command.get_name();
  return "see '" + path + " --help'";
}

/// The commands that have the option, by name: "asap-eval bench".
std::vector<std::string> commands_with(const CLI::App& root, const std::string& flag) {
  std::vector<std::string> commands;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; }))
    if (std::ranges::count(option_names(*command), flag) > 0)
      commands.push_back(root.get_name() + " " + command->get_name());
  return commands;
}

base::UsageError unknown_option(const CLI::App& root, const std::string& flag) {
  const CLI::App& command = selected_command(root);
  const std::string what = "unknown option '" + flag + "'";
  const std::string nearest = base::nearest_name(flag, option_names(command));
  if (nearest == flag)  // it stands before the command
    return base::UsageError(
        what + " before the command",
        "write it after: " + root.get_name() + " " + command.get_name() + " " + flag + " ...");
  const std::vector<std::string> others = commands_with(root, flag);
  if (!others.empty())
    return base::UsageError(
        what, "it belongs to " + base::join(others, ", ") + "; " + help_hint(root, command));
  return base::UsageError(
      what, nearest.empty() ? help_hint(root, command) : "did you mean '" + nearest + "'?");
}

/// Whether a word is the name of a configuration file rather than of a command.
bool names_config(const std::string& word) {
  std::error_code error;
  return word.ends_with(".json") || std::filesystem::is_regular_file(word, error);
}

base::UsageError unknown_argument(const CLI::App& root, const std::string& argument) {
  const CLI::App& command = selected_command(root);
  if (argument.starts_with("-"))
    return unknown_option(root, argument.substr(0, argument.find('=')));
  const std::vector<std::string> commands = subcommand_names(command);
  if (names_config(argument))
    return base::UsageError("unexpected argument '" + argument + "'",
                            "a configuration file follows its flag: " +
                                std::string(commands.empty() ? "" : "COMMAND ") + "--config " +
                                base::shell_word(argument));
  if (commands.empty())
    return base::UsageError("unexpected argument '" + argument + "'", help_hint(root, command));
  return base::UsageError("unknown command '" + argument + "'",
                          base::suggestion(argument, commands));
}

/// The description of the option that CLI11's message names, or a pointer to the help text.
std::string hint_for(const CLI::App& root, const std::string& message) {
  const CLI::App& command = selected_command(root);
  std::string name, description;
  for (const CLI::Option* option : command.get_options()) {
    const std::string candidate = option->get_name();
    if (candidate.size() > name.size() && message.find(candidate) != std::string::npos) {
      name = candidate;
      description = option->get_description();
    }
  }
  return name.empty() ? help_hint(root, command) : name + ": " + description;
}

base::UsageError parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> remaining = app.remaining(true);
  if (!remaining.empty()) return unknown_argument(app, remaining.front());
  const std::string message = error.what();
  if (message.find("subcommand") != std::string::npos) {
    const std::vector<std::string> commands = subcommand_names(app);
    return base::UsageError("a command is required", "one of: " + base::join(commands, ", "));
  }
  return base::UsageError(message, hint_for(app, message));
}

std::string formatted_help(const CommandHelp& program, const std::string& format) {
  if (format == "bash") return bash_completion(program);
  if (format == "zsh") return zsh_completion(program);
  if (format == "fish") return fish_completion(program);
  if (format == "man") return man_page(program);
  throw base::UsageError(
      "--help-format: unknown format '" + format + "'",
      base::suggestion(format, std::vector<std::string>{"bash", "zsh", "fish", "man"}));
}

/// ". Continue with: asap-train ... --resume"
std::string continue_hint(const Arguments& arguments, const std::string& flag) {
  return flag.empty() ? "" : ". Continue with: " + arguments.command_line(flag);
}

/// Lets "teacher, compiled" be the list of teacher and compiled.
void trim_lists(CLI::App& command) {
  for (CLI::Option* option : command.get_options())
    if (option->get_delimiter() == ',')
      option->transform([](const std::string& part) { return std::string(base::trim(part)); });
  for (CLI::App* inner : command.get_subcommands([](const CLI::App*) { return true; }))
    trim_lists(*inner);
}

/// The ranks of the job, which a mistake on the command line comes before they joined.
distributed::Ranks& ranks_to_tell() {
  try {
    return distributed::join_job();
  } catch (const base::Error&) {  // which the error to report may be itself
    return distributed::single_rank();
  }
}

/// Prints the error, unless another rank does, and leaves the job.
int report(const std::string& program, base::ErrorKind kind, const std::string& message,
           const std::string& hint) {
  distributed::Ranks& ranks = ranks_to_tell();
  const distributed::FailureReport failure = ranks.fail(message);
  std::string line = program + ": error: " + failure.prefix + message;
  if (!hint.empty()) line += " (hint: " + hint + ")";
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  std::cout.flush();
  if (failure.speaks) std::cerr << base::printable(line) << std::endl;
  ranks.end(failure.is_alone, static_cast<int>(kind));
  return static_cast<int>(kind);
}

}  // namespace

/// Answers --help-format and --help-keys, for which other options need not be complete or valid.
bool Arguments::answer_help(const CLI::App& app, const std::vector<CommandKeys>& keys,
                            const std::string& description) const {
  const std::vector<std::string> words(argv_ + std::min(argc_, 1), argv_ + argc_);
  if (words.size() == 2 && words[0] == "--help-format") {
    CommandHelp program = describe_command(app, keys);
    program.description = description;
    print(formatted_help(program, words[1]));
    return true;
  }
  if (std::ranges::find(words, "--help-keys") == words.end()) return false;
  for (const CommandKeys& of : keys) {
    if (of.command != &app && words.front() != of.command->get_name()) continue;
    print(keys_text(describe_command(*of.command, keys)));
    return true;
  }
  return false;
}

void Arguments::parse(CLI::App& app, const std::vector<CommandKeys>& keys,
                      const std::string& description) const {
  app.name(program_);
  for (const CommandKeys& of : keys) {
    const std::string about = "Print the keys of --set and --config with their defaults, then stop";
    (of.command == &app ? &app : app.get_subcommand(of.command->get_name()))
        ->add_flag("--help-keys", about)
        ->group(kInformationGroup);
  }
  if (answer_help(app, keys, description)) throw Finished{};
  trim_lists(app);
  try {
    app.parse(argc_, argv_);
  } catch (const CLI::CallForHelp&) {
    print(help_text(describe_command(selected_command(app), keys)));
    throw Finished{};
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    throw Finished{};
  } catch (const CLI::ParseError& error) {
    throw parse_failure(app, error);
  }
}

std::string Arguments::command_line(const std::string& more) const {
  std::string line = program_;
  bool there = false;
  for (int i = 1; i < argc_; ++i) {
    const std::string word = argv_[i];
    there = there || word == more;
    line += " " + base::shell_word(word);
  }
  return there ? line : line + " " + more;
}

int run_main(const std::string& program, int argc, const char* const* argv,
             const std::function<void(const Arguments&)>& body) {
  // With this, a file that grows past the system's limit makes write() fail, which has a message.
  std::signal(SIGXFSZ, SIG_IGN);
  open_standard_streams();
  const Arguments arguments(program, argc, argv);
  try {
    body(arguments);
    print("");  // whatever is still to be written
    distributed::joined_job().end(false, 0);
    return 0;
  } catch (const Finished&) {
    return 0;
  } catch (const Interrupted& interrupted) {
    std::cout.flush();
    if (!interrupted.message.empty() && distributed::joined_job().leads())
      std::cerr << program << ": " << interrupted.message
                << continue_hint(arguments, interrupted.continue_flag) << std::endl;
    distributed::joined_job().end(false, 128 + interrupted.signal);
    return 128 + interrupted.signal;
  } catch (const base::Error& error) {
    return report(program, error.kind(), error.what(), error.hint());
  } catch (const std::bad_alloc&) {
    return report(program, base::ErrorKind::data, "out of memory",
                  "use a smaller batch, fewer examples or fewer --threads");
  } catch (const std::filesystem::filesystem_error& error) {
    return report(program, base::ErrorKind::data, error.what(),
                  "check the path and its permissions");
  } catch (const std::exception& error) {
    const base::InternalError internal(error.what());
    return report(program, internal.kind(), internal.what(), internal.hint());
  }
}

}  // namespace asap::cli
