#include "relu_fit/flag_names.h"

#include <algorithm>

#include "base/error.h"

namespace asap::relu_fit {
namespace {

class CommandWithFlagNames : public cli::Command {
 public:
  explicit CommandWithFlagNames(std::unique_ptr<cli::Command> command)
      : command_(std::move(command)) {}

  CLI::App* add_to(CLI::App& app) override { return options_ = command_->add_to(app); }

  std::vector<config::FieldDescription> keys() const override { return command_->keys(); }

  void run() override {
    try {
      command_->run();
    } catch (const base::Error& error) {
      throw base::Error(error.kind(), name_flags(error.what(), *options_),
                        name_flags(error.hint(), *options_));
    }
  }

 private:
  std::unique_ptr<cli::Command> command_;
  CLI::App* options_ = nullptr;
};

}  // namespace

std::string name_flags(std::string_view text, const CLI::App& command) {
  std::string named;
  for (;;) {
    const std::size_t open = text.find('`');
    const std::size_t close = open == text.npos ? text.npos : text.find('`', open + 1);
    if (close == text.npos) return named.append(text);
    std::string flag = "--" + std::string(text.substr(open + 1, close - open - 1));
    std::replace(flag.begin(), flag.end(), '_', '-');
    const bool known = command.get_option_no_throw(flag) != nullptr;
    named.append(text.substr(0, known ? open : close)).append(known ? flag : "");
    text.remove_prefix(known ? close + 1 : close);
  }
}

std::unique_ptr<cli::Command> with_flag_names(std::unique_ptr<cli::Command> command) {
  return std::make_unique<CommandWithFlagNames>(std::move(command));
}

}  // namespace asap::relu_fit
