#include "cli/command_help.h"

#include <algorithm>

#include "base/text.h"

namespace asap::cli {
namespace {

constexpr std::size_t kOptionColumn = 2;        // of names
constexpr std::size_t kDescriptionColumn = 30;  // of their meanings

OptionHelp describe_option(const CLI::Option& option) {
  OptionHelp help;
  if (!option.get_snames().empty()) help.short_name = "-" + option.get_snames().front();
  if (!option.get_lnames().empty()) help.long_name = "--" + option.get_lnames().front();
  // CLI11 appends the names of its checks: "N:NONNEGATIVE".
  const std::string type = option.get_type_name();
  help.value = option.get_items_expected_max() > 0 ? type.substr(0, type.find(':')) : "";
  help.value_is_optional = !help.value.empty() && option.get_items_expected_min() == 0;
  help.required = option.get_required();
  help.repeatable = option.get_expected_max() > 1 && !option.get_allow_extra_args() &&
                    option.get_delimiter() == '\0';
  help.description = option.get_description();
  help.default_value = option.get_default_str();
  if (help.value.find('|') != std::string::npos) help.words = base::split(help.value, '|');
  return help;
}

/// Appends words to `text`, whose last line has `column` columns, and wraps them at kHelpColumns.
void append_wrapped(std::string& text, std::size_t column, std::size_t indent,
                    const std::string& words) {
  for (const std::string& word : base::split(words, ' ')) {
    if (word.empty()) continue;
    if (column > indent && column + 1 + word.size() > kHelpColumns) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  text += '\n';
}

/// One entry of a list: a name, and its meaning beside it or, after a long name, below it.
std::string entry(const std::string& name, const std::string& meaning) {
  std::string text = std::string(kOptionColumn, ' ') + name;
  if (text.size() + 2 > kDescriptionColumn)
    text += "\n" + std::string(kDescriptionColumn, ' ');
  else
    text.append(kDescriptionColumn - text.size(), ' ');
  append_wrapped(text, kDescriptionColumn, kDescriptionColumn, meaning);
  return text;
}

std::string option_entry(const OptionHelp& option) {
  std::string name = option.short_name;
  if (!name.empty() && !option.long_name.empty()) name += ", ";
  name += option.long_name;
  if (!option.value.empty())
    name += option.value_is_optional ? " [" + option.value + "]" : " " + option.value;
  std::string meaning = option.description;
  if (option.required) meaning += " (required)";
  if (option.repeatable) meaning += " (repeatable)";
  if (!option.default_value.empty()) meaning += " [default: " + option.default_value + "]";
  return entry(name, meaning);
}

}  // namespace

CommandHelp describe_command(const CLI::App& app, const std::vector<CommandKeys>& keys) {
  CommandHelp help;
  help.name =
      app.get_parent() ? app.get_parent()->get_name() + " " + app.get_name() : app.get_name();
  help.summary = app.get_description();
  help.example = app.get_footer();
  for (const std::string& title : app.get_groups()) {
    OptionGroup group{title, {}};
    for (const CLI::Option* option : app.get_options())
      if (option->get_group() == title) group.options.push_back(describe_option(*option));
    if (!group.options.empty()) help.groups.push_back(std::move(group));
  }
  for (const CommandKeys& of : keys)
    if (of.command == &app) help.keys = of.fields;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    help.commands.push_back(describe_command(*command, keys));
  return help;
}

std::string help_text(const CommandHelp& command) {
  std::string text;
  append_wrapped(text, 0, 0, command.summary);
  text +=
      "\nUsage: " + command.name + (command.commands.empty() ? "" : " COMMAND") + " [OPTIONS]\n";
  if (!command.commands.empty()) {
    text += "\nCommands:\n";
    for (const CommandHelp& part : command.commands) text += entry(part.last_name(), part.summary);
  }
  for (const OptionGroup& group : command.groups) {
    text += "\n" + group.title + ":\n";
    for (const OptionHelp& option : group.options) text += option_entry(option);
  }
  const std::string examples = command.commands.empty() ? "\nExample:\n" : "\nExamples:\n";
  if (!command.example.empty()) text += examples + "  " + command.example + "\n";
  if (command.example.empty() && !command.commands.empty()) {
    text += examples;
    for (const CommandHelp& part : command.commands) text += "  " + part.example + "\n";
    text += "\nOptions of a command: " + command.name + " COMMAND --help\n";
  }
  return text;
}

std::string keys_text(const CommandHelp& command) {
  std::string text;
  for (const config::FieldDescription& key : command.keys) {
    text +=
        key.path + " (" + key.type + ") [default: " + io::format_json_line(key.value) + "]\n    ";
    append_wrapped(text, 4, 4, key.doc);
  }
  return text;
}

}  // namespace asap::cli
