// Pictures of the kinds that users of other tools reported: forms of files that show the same
// train alike.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "support/image_files.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

void add(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, bytes);
}

/// The losses of two steps of a tiny network on folders of pictures.
std::string losses_on(const fs::path& data) {
  const Workspace work;
  Words words = {"--threads", "1", "--out", work / "run", "--set", "data.path=" + data.string()};
  for (const char* setting :
       {"data.kind=image_folders", "data.images.size=8", "model.patch=2", "model.width=8",
        "model.layers=1", "train.batch=8", "train.max_steps=2"})
    words = words + Words{"--set", setting};
  const Outcome outcome = run("asap-train", words);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
  return read_file(work / "run/metrics.jsonl");
}

}  // namespace

TEST_CASE("16-bit grey with transparency and palettes train as their 8-bit and plain pictures") {
  const Workspace work;
  const std::string palette = png_chunk("PLTE", std::string("\x10\x10\x10\x80\x80\x80", 6));
  for (int i = 0; i < 16; ++i) {
    const bool dark = i % 2 == 0;
    const char level = dark ? '\x10' : '\x80';
    const std::string name = (dark ? "dark/" : "mid/") + std::to_string(i) + ".png";
    const std::string opaque = "\xff";
    std::string grey8, grey16, indices(8, dark ? '\0' : '\1');
    for (int pixel = 0; pixel < 8; ++pixel) {
      grey8 += level + opaque;
      grey16 += std::string(2, level) + opaque + opaque;
    }
    for (const std::string part : {"train/", "test/"}) {
      add(work / "8" / (part + name), plain_png_row(8, 8, PNG_COLOR_TYPE_GRAY_ALPHA, grey8));
      add(work / "16" / (part + name), plain_png_row(8, 16, PNG_COLOR_TYPE_GRAY_ALPHA, grey16));
      add(work / "palette" / (part + name),
          plain_png_row(8, 8, PNG_COLOR_TYPE_PALETTE, indices, palette));
    }
  }
  for (const char* form : {"16", "palette"}) CHECK(losses_on(work / form) == losses_on(work / "8"));
}

TEST_CASE("every EXIF orientation trains as the picture turned upright") {
  // Constant halves: JPEG keeps them, so that turning the file is turning the picture.
  const Workspace work;
  const auto picture = [](bool top, bool left, bool by_rows) {
    Image image{3, 16, 16, std::vector<std::uint8_t>(3 * 256, 20)};
    for (std::size_t at = 0; at < image.pixels.size(); ++at) {
      const std::size_t row = at % 256 / 16, column = at % 16;
      if (by_rows ? (row < 8) == top : (column < 8) == left) image.pixels[at] = 230;
    }
    return jpeg_file(image);
  };
  // Where the bright half of a file lies whose picture has it at the top, by orientation.
  const auto stored = [&](std::uint32_t orientation, bool top) {
    switch (orientation) {
      case 3:
        return picture(!top, false, true);
      case 6:
        return picture(false, top, false);  // to be turned clockwise: left becomes top
      case 8:
        return picture(false, !top, false);  // counterclockwise: right becomes top
      default:
        return picture(top, false, true);
    }
  };
  for (const std::uint32_t orientation : {1u, 3u, 6u, 8u}) {
    const std::string folder = std::to_string(orientation);
    for (int i = 0; i < 16; ++i)
      for (const std::string part : {"train/", "test/"})
        add(work / folder / (part + (i % 2 == 0 ? "top/" : "bottom/") + std::to_string(i) + ".jpg"),
            with_exif(stored(orientation, i % 2 == 0), exif_data(orientation, i % 3 == 0)));
    CHECK(losses_on(work / folder) == losses_on(work / "1"));
  }
}

TEST_CASE("hidden pictures and the files of file managers are no pictures and no classes") {
  const Workspace work;
  for (const std::string part : {"train/", "test/"})
    for (int i = 0; i < 16; ++i) {
      const std::string name = (i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".png";
      const std::string bytes =
          plain_png_row(8, 8, PNG_COLOR_TYPE_GRAY, std::string(8, static_cast<char>(9 * i)));
      for (const char* folder : {"plain", "more"}) add(work / folder / (part + name), bytes);
      for (const char* other : {"a/._0.png", "a/.ipynb_checkpoints/0.png", ".git/0.png",
                                "a/Thumbs.db", "Thumbs.db", ".DS_Store", "b/desktop.ini"})
        add(work / "more" / (part + other), bytes);
    }
  CHECK(losses_on(work / "more") == losses_on(work / "plain"));
}
