#include "cli/completion.h"

#include <algorithm>

#include "base/text.h"

namespace asap::cli {
namespace {

/// The subcommands of a program; a program without subcommands is its own only command.
std::vector<CommandHelp> commands_of(const CommandHelp& program) {
  return program.commands.empty() ? std::vector<CommandHelp>{program} : program.commands;
}

std::vector<std::string> command_names(const CommandHelp& program) {
  std::vector<std::string> names;
  for (const CommandHelp& command : program.commands) names.push_back(command.last_name());
  return names;
}

std::vector<OptionHelp> options_of(const CommandHelp& command) {
  std::vector<OptionHelp> options;
  for (const OptionGroup& group : command.groups)
    options.insert(options.end(), group.options.begin(), group.options.end());
  return options;
}

/// The beginnings of a value of --set: "train.epochs=".
std::vector<std::string> key_words(const CommandHelp& command) {
  std::vector<std::string> words;
  for (const config::FieldDescription& key : command.keys) words.push_back(key.path + "=");
  return words;
}

bool takes_keys(const OptionHelp& option) { return option.value == "KEY=VALUE"; }

std::string with_underscores(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += with.size())
    text.replace(at, old.size(), with);
  return text;
}

/// A text between single quotes, for bash and zsh.
std::string shell_quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}

std::string origin(const std::string& program, const char* shell) {
  return "# Completion of " + program + " for " + shell + ", written by '" + program +
         " --help-format " + shell + "'.\n";
}

/// The bash code that completes the value of an option.
std::string bash_value(const CommandHelp& command, const OptionHelp& option) {
  if (option.value == "DIR" || option.value == "RUN")
    return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$word\"))";
  if (option.value == "FILE") return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))";
  if (takes_keys(option))
    return "compopt -o nospace; COMPREPLY=($(compgen -W " +
           shell_quoted(base::join(key_words(command), " ")) + " -- \"$word\"))";
  if (!option.words.empty())
    return "COMPREPLY=($(compgen -W " + shell_quoted(base::join(option.words, " ")) +
           " -- \"$word\"))";
  return "";
}

std::string bash_cases(const CommandHelp& command, const std::string& name) {
  std::string text, long_names;
  for (const OptionHelp& option : options_of(command)) {
    long_names += (long_names.empty() ? "" : " ") + option.long_name;
    if (option.value.empty()) continue;
    text += "    '" + name + " " + option.long_name + "') " + bash_value(command, option);
    // After an option whose value may be left out, the next option is offered too.
    text += option.value_is_optional ? ";;&\n" : "; return ;;\n";
  }
  text = replaced(text, ") ; return", ") return");
  return text + "    '" + name + " '*) COMPREPLY+=($(compgen -W " + shell_quoted(long_names) +
         " -- \"$word\")) ;;\n";
}

/// One argument of zsh's _arguments.
std::string zsh_argument(const CommandHelp& command, const OptionHelp& option) {
  std::string meaning = replaced(option.description, "[", "(");
  meaning = replaced(replaced(meaning, "]", ")"), ":", "\\:");
  std::string action;
  if (option.value == "DIR" || option.value == "RUN")
    action = "_files -/";
  else if (option.value == "FILE")
    action = "_files";
  else if (!option.words.empty())
    action = "(" + base::join(option.words, " ") + ")";
  else if (takes_keys(option))
    action = "compadd -S \"\" -- " + base::join(key_words(command), " ");
  std::string text = option.repeatable ? "*" : "";
  text += option.long_name + "[" + meaning + "]";
  if (!option.value.empty())
    text += (option.value_is_optional ? "::" : ":") + replaced(option.value, ":", "\\:") + ":" +
            (takes_keys(option) ? "{" + action + "}" : action);
  return shell_quoted(text);
}

std::string zsh_arguments(const CommandHelp& command, const std::string& indent) {
  std::string text = indent + "_arguments -s";
  for (const OptionHelp& option : options_of(command))
    text += " \\\n" + indent + "  " + zsh_argument(command, option);
  return text + "\n";
}

/// A text between single quotes, for fish.
std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_option(const CommandHelp& command, const OptionHelp& option,
                        const std::string& head) {
  std::string line = head + " -l " + option.long_name.substr(2);
  if (!option.short_name.empty()) line += " -s " + option.short_name.substr(1);
  std::vector<std::string> words = option.words;
  if (takes_keys(option)) words = key_words(command);
  if (option.value == "DIR" || option.value == "RUN")
    line += " -x -a '(__fish_complete_directories)'";
  else if (option.value == "FILE")
    line += " -r -F";
  else if (!option.value.empty() && !option.value_is_optional)
    line += " -x";
  if (!words.empty()) line += " -a " + fish_quoted(base::join(words, " "));
  return line + " -d " + fish_quoted(option.description) + "\n";
}

}  // namespace

std::string bash_completion(const CommandHelp& program) {
  const std::string function = "_" + with_underscores(program.name);
  std::string text = origin(program.name, "bash") + function + "() {\n" +
                     "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "  local command= each\n  COMPREPLY=()\n";
  const std::vector<std::string> names = command_names(program);
  if (!names.empty())
    text += "  for each in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case $each in " +
            base::join(names, "|") + ") command=$each; break ;; esac\n  done\n";
  text += "  case \"$command $previous\" in\n";
  for (const CommandHelp& command : commands_of(program))
    text += bash_cases(command, names.empty() ? "" : command.last_name());
  if (!names.empty())
    text += "    *) COMPREPLY=($(compgen -W " +
            shell_quoted(base::join(names, " ") + " --help --version") + " -- \"$word\")) ;;\n";
  return text + "  esac\n}\ncomplete -F " + function + " " + program.name + "\n";
}

std::string zsh_completion(const CommandHelp& program) {
  std::string text = "#compdef " + program.name + "\n" + origin(program.name, "zsh");
  if (program.commands.empty()) return text + zsh_arguments(program, "");
  text += "local -a commands\ncommands=(\n";
  for (const CommandHelp& command : program.commands)
    text += "  " + shell_quoted(command.last_name() + ":" + replaced(command.summary, ":", "\\:")) +
            "\n";
  text +=
      ")\nif ((CURRENT == 2)); then\n  _describe command commands\n"
      "  _arguments '--help' '--version'\n  return\nfi\n"
      "local command=$words[2]\nshift words\n((CURRENT--))\ncase $command in\n";
  for (const CommandHelp& command : program.commands)
    text += "  " + command.last_name() + ")\n" + zsh_arguments(command, "    ") + "    ;;\n";
  return text + "esac\n";
}

std::string fish_completion(const CommandHelp& program) {
  std::string text = origin(program.name, "fish");
  const std::string head = "complete -c " + program.name;
  text += head + " -f\n";
  for (const CommandHelp& command : program.commands)
    text += head + " -n __fish_use_subcommand -a " + command.last_name() + " -d " +
            fish_quoted(command.summary) + "\n";
  for (const CommandHelp& command : commands_of(program)) {
    const std::string only = program.commands.empty() ? head
                                                      : head + " -n '__fish_seen_subcommand_from " +
                                                            command.last_name() + "'";
    for (const OptionHelp& option : options_of(command)) text += fish_option(command, option, only);
  }
  return text;
}

}  // namespace asap::cli
