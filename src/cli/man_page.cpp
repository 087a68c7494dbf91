#include "cli/man_page.h"

#include "base/text.h"
#include "base/version.h"

namespace asap::cli {
namespace {

/// Text escaped for roff: no accidental escapes or control lines, and hyphens that can be copied.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string section(const std::string& title) { return ".SH " + title + "\n"; }

/// A word in bold, and its value in italics.
std::string term(const std::string& name, const std::string& value) {
  std::string line = ".TP\n\\fB" + roff(name) + "\\fR";
  if (!value.empty()) line += " \\fI" + roff(value) + "\\fR";
  return line + "\n";
}

std::string option_paragraph(const OptionHelp& option) {
  std::string name = option.short_name;
  if (!name.empty() && !option.long_name.empty()) name += ", ";
  const std::string value = option.value_is_optional ? "[" + option.value + "]" : option.value;
  std::string meaning = option.description + ".";
  if (option.required) meaning += " Required.";
  if (option.repeatable) meaning += " May be repeated.";
  if (!option.default_value.empty()) meaning += " Default: " + option.default_value + ".";
  return term(name + option.long_name, value) + roff(meaning) + "\n";
}

std::string options(const CommandHelp& command, const std::string& heading) {
  std::string text;
  for (const OptionGroup& group : command.groups) {
    text += heading + group.title + "\n";
    for (const OptionHelp& option : group.options) text += option_paragraph(option);
  }
  return text;
}

/// The programs that asap-train's results pass through, and relu-fit.
constexpr const char* kPrograms[] = {"asap-train", "asap-compile", "asap-eval", "relu-fit"};

std::string description(const CommandHelp& program) {
  const std::string& text = program.description.empty() ? program.summary : program.description;
  return section("DESCRIPTION") + roff(text) + "\n";
}

/// What each command is for, with an example of its use.
std::string examples(const CommandHelp& program) {
  std::string text = section("EXAMPLES");
  const auto add = [&](const CommandHelp& command) {
    if (!command.example.empty())
      text += ".TP\n" + roff(command.summary) + "\n.nf\n" + roff(command.example) + "\n.fi\n";
  };
  add(program);
  for (const CommandHelp& command : program.commands) add(command);
  return text;
}

std::string see_also(const CommandHelp& program) {
  std::string text = section("SEE ALSO"), separator;
  for (const char* other : kPrograms) {
    if (other == program.name) continue;
    text += separator + "\\fB" + roff(other) + "\\fR(1)";
    separator = ",\n";
  }
  return text + "\n";
}

std::string keys(const CommandHelp& command) {
  if (command.keys.empty()) return "";
  std::string text = ".SS Configuration keys of " + roff(command.name) + "\n";
  for (const config::FieldDescription& key : command.keys)
    text += term(key.path, key.type) + roff(key.doc) +
            ". Default: " + roff(io::format_json_line(key.value)) + ".\n";
  return text;
}

/// The sections that all programs share.
std::string common_sections() {
  std::string text = section("EXIT STATUS");
  for (const auto& [code, meaning] :
       {std::pair("0", "Done."),
        {"2", "Wrong use: a flag or the configuration."},
        {"3", "Data, files or memory."},
        {"4", "Numerical: a training diverged, or missed its goal."},
        {"70", "A defect of the toolkit."},
        {"130, 143", "Stopped by SIGINT or SIGTERM with the work saved."}})
    text += term(code, "") + meaning + "\n";
  text += section("ENVIRONMENT");
  for (const auto& [name, meaning] :
       {std::pair("ASAP_DATA_DIR",
                  "Folder of the data sets, one sub-folder each; data.path overrides it."),
        {"NO_COLOR", "Any value turns off colours on the terminal."}})
    text += term(name, "") + meaning + "\n";
  return text;
}

}  // namespace

std::string man_page(const CommandHelp& program) {
  std::string text = ".TH " + program.name + " 1 \"\" \"ASAP toolkit " + base::version() + "\"\n";
  const std::string summary = program.summary.substr(0, program.summary.find_last_not_of('.') + 1);
  text += section("NAME") + roff(program.name) + " \\- " + roff(summary) + "\n";
  text += section("SYNOPSIS");
  if (program.commands.empty()) text += ".B " + roff(program.name) + "\n[OPTIONS]\n";
  for (const CommandHelp& command : program.commands)
    text += ".B " + roff(command.name) + "\n[OPTIONS]\n.br\n";
  text += description(program);
  if (program.commands.empty()) {
    text += section("OPTIONS") + options(program, ".SS ");
  } else {
    text += section("COMMANDS");
    for (const CommandHelp& command : program.commands)
      text += ".SS " + roff(command.name) + "\n" + roff(command.summary) + "\n" +
              options(command, ".PP\n.I ");
  }
  std::string all_keys = keys(program);
  for (const CommandHelp& command : program.commands) all_keys += keys(command);
  if (!all_keys.empty())
    text += section("CONFIGURATION") +
            roff(
                "Keys of --set KEY=VALUE and of a --config file (JSON, with one object for each "
                "part of a key before a dot).") +
            "\n" + all_keys;
  return text + common_sections() + examples(program) + see_also(program);
}

}  // namespace asap::cli
