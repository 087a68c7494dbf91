#include "evaluate/compare/data_title.h"

#include <doctest/doctest.h>

using namespace asap::config;
using namespace asap::evaluate;

namespace {

std::string title(DataKind kind, const std::string& path, const std::string& name = "x") {
  DataConfig config;
  config.kind = kind;
  config.path = path;
  config.name = name;
  return data_title(config);
}

}  // namespace

TEST_CASE("data are called by their name, not by their path") {
  CHECK(data_title({}) == "Fashion-MNIST");
  CHECK(title(DataKind::idx, "", "mnist") == "MNIST");
  CHECK(title(DataKind::idx, "/usr/share/datasets/fashion-mnist") == "Fashion-MNIST");
  CHECK(title(DataKind::text, "/data/ag_news_csv/") == "AG News");
  CHECK(title(DataKind::image_folders, "/home/me/holiday photos/") == "holiday photos");
  CHECK(title(DataKind::image_folders, "../holiday") == "holiday");
  CHECK(title(DataKind::points, "", "scans") == "scans");
  CHECK(title(DataKind::shapes, "/ignored") == "Drawn shapes");
  DataConfig texts;
  texts.kind = DataKind::text;
  texts.text.test_file = "/data/letters.csv";
  CHECK(data_title(texts) == "letters.csv");
}
