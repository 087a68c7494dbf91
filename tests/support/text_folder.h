#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/random.h"

namespace asap::test {

/// Writes train.tsv (`count` texts) and test.tsv (half as many) into a folder: "good" or "bad" and
/// 2 to 20 words of which more speak for the label than against it, drawn from seed 1.
inline void write_text_folder(const std::filesystem::path& folder, int count = 192) {
  std::filesystem::create_directories(folder);
  const std::string words[2][3] = {{"bright", "kind", "warm"}, {"dull", "cruel", "cold"}};
  const std::string others[4] = {"film", "actor", "scene", "plot"};
  base::RandomStream random(1, base::RandomPurpose::test);
  for (const std::string part : {"train", "test"}) {
    std::string lines;
    for (int i = 0; i < (part == "train" ? count : count / 2); ++i) {
      const std::size_t label = random.below(2);
      std::string text = words[label][random.below(3)] + " " + words[label][random.below(3)];
      for (std::uint64_t more = random.below(19); more > 0; --more)
        text += " " + others[random.below(4)];
      lines += std::string(label == 0 ? "good" : "bad") + "\t" + text + ".\n";
    }
    base::write_file_atomically(folder / (part + ".tsv"), lines);
  }
}

}  // namespace asap::test
