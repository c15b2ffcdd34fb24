# Fits written down in cases.csv with R's glmnet, on the inputs make_glmnet.py puts beside it. Run by make_glmnet.py only.
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, mnlam = 1)
folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) as.matrix(read.csv(file.path(folder, name), header = FALSE))
write <- function(x, name) write.table(format(x, digits = 17), file.path(folder, name), sep = ",", quote = FALSE, row.names = FALSE, col.names = FALSE)
cases <- read.csv(file.path(folder, "cases.csv"), stringsAsFactors = FALSE)
for (k in seq_len(nrow(cases))) {
  one <- cases[k, ]
  x <- read(paste0("x_", one$data, ".csv")); y <- drop(read(paste0("y_", one$data, ".csv")))
  w <- if (one$weights) drop(read(paste0("w_", one$data, ".csv"))) else rep(1, nrow(x))
  v <- if (one$factors) drop(read(paste0("v_", one$data, ".csv"))) else rep(1, ncol(x))
  lambda <- drop(read(paste0("lambda_", one$data, ".csv")))
  common <- list(x = unname(x), y = unname(y), weights = w, alpha = one$a, lambda = lambda, penalty.factor = v, intercept = one$intercept,
                 standardize = one$standardize, lower.limits = ifelse(v == 0, -Inf, one$lower),
                 upper.limits = ifelse(v == 0, Inf, one$upper), thresh = 1e-14, maxit = 1e7)
  fit <- do.call(glmnet, common)
  stopifnot(length(fit$lambda) == length(lambda), fit$jerr == 0)
  write(cbind(unname(fit$a0), unname(t(as.matrix(fit$beta)))), paste0("fit_", one$name, ".csv"))
  if (one$cv) {
    foldid <- drop(read(paste0("fold_", one$data, ".csv")))
    cv <- do.call(cv.glmnet, c(common, list(foldid = foldid)))
    write(cbind(cv$cvm, cv$cvsd, cv$lambda == cv$lambda.min, cv$lambda == cv$lambda.1se), paste0("cv_", one$name, ".csv"))
  }
}
writeLines(as.character(packageVersion("glmnet")), file.path(folder, "version.txt"))
