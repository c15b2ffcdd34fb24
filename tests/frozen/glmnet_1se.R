# Choices of R's cv.glmnet on the data that make_glmnet_1se.py puts beside it. Run by make_glmnet_1se.py only.
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, mnlam = 1)
folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) as.matrix(read.csv(file.path(folder, name), header = FALSE))
cases <- read.csv(file.path(folder, "cases.csv"))
for (k in seq_len(nrow(cases))) {
  one <- cases[k, ]
  part <- function(key) read(paste0(key, "_", one$data, ".csv"))
  w <- if (one$weights) drop(part("w")) else rep(1, nrow(part("x")))
  cv <- cv.glmnet(unname(part("x")), unname(drop(part("y"))), weights = w, foldid = drop(part("fold")), alpha = one$a,
                  lambda = drop(part("lambda")) / one$a, standardize = FALSE, thresh = 1e-14, maxit = 1e7)
  out <- cbind(cv$lambda, cv$cvm, cv$cvsd, cv$lambda == cv$lambda.min, cv$lambda == cv$lambda.1se)
  write.table(format(out, digits = 17), file.path(folder, paste0("cv_", k, ".csv")), sep = ",", quote = FALSE, row.names = FALSE, col.names = FALSE)
}
writeLines(as.character(packageVersion("glmnet")), file.path(folder, "version.txt"))
