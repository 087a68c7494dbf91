// relu-fit: tiny ReLU networks for functions of one and of several variables.
#include "relu_fit/commands.h"

using namespace asap;

int main(int argc, char** argv) {
  return cli::run_main("relu-fit", argc, argv, [](const cli::Arguments& words) {
    CLI::App app(
        "Fit tiny ReLU networks to functions of one or several variables and count their regions.");
    const std::vector<std::unique_ptr<Command>> commands = all_commands();
    std::vector<std::pair<CLI::App*, Command*>> registered;
    std::vector<cli::CommandKeys> keys;
    for (const auto& command : commands) {
      registered.emplace_back(command->add_to(app), command.get());
      if (const auto fields = command->keys(); !fields.empty())
        keys.push_back({registered.back().first, fields});
    }
    cli::add_information_options(app, "relu-fit");
    app.require_subcommand(1);
    words.parse(app, keys);
    for (const auto& [parsed, command] : registered)
      if (parsed->parsed()) command->run();
  });
}
