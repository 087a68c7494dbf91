#include "cli/flag_names.h"

#include <algorithm>

namespace asap::cli {

std::string name_flags(std::string_view text, const CLI::App& command) {
  std::string named;
  for (;;) {
    const std::size_t open = text.find('`');
    const std::size_t close = open == text.npos ? text.npos : text.find('`', open + 1);
    if (close == text.npos) return named.append(text);
    std::string flag = "--" + std::string(text.substr(open + 1, close - open - 1));
    std::replace(flag.begin(), flag.end(), '_', '-');
    const CLI::Option* option = command.get_option_no_throw(flag);
    const bool known = option != nullptr;
    if (known) flag = "--" + option->get_lnames().front();
    named.append(text.substr(0, known ? open : close)).append(known ? flag : "");
    text.remove_prefix(known ? close + 1 : close);
  }
}

}  // namespace asap::cli
