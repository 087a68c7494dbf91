// Prints the ids of texts: wordpiece_ids VOCABULARY LOWERCASE STRIP_ACCENTS < TEXTS, with 0 or 1
// for the rules, a JSON text on each line of the input, and the ids of one text on each line of the
// output.

#include <iostream>
#include <string>

#include "base/files.h"
#include "io/json.h"
#include "text/wordpiece_tokenizer.h"

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: wordpiece_ids VOCABULARY LOWERCASE STRIP_ACCENTS < TEXTS\n";
    return 2;
  }
  asap::config::TextConfig config;
  config.lowercase = std::string(arguments[2]) == "1";
  config.strip_accents = std::string(arguments[3]) == "1";
  try {
    const auto tokenizer =
        asap::text::parse_wordpiece(config, asap::base::read_file(arguments[1]), arguments[1]);
    for (std::string line; std::getline(std::cin, line);) {
      std::string out;
      for (const std::int32_t id :
           tokenizer->encode(asap::io::parse_json_line(line, "input").get<std::string>()))
        out += (out.empty() ? "" : " ") + std::to_string(id);
      std::cout << out << '\n';
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
  return 0;
}
