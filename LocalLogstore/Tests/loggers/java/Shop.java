// SPDX-License-Identifier: Apache-2.0

import java.util.Map;
import org.apache.logging.log4j.LogManager;

/** Writes the lines of log4j2 to standard output, as log4j2.xml says. */
public final class Shop {
    public static void main(String[] arguments) {
        var logger = LogManager.getLogger("shop.db");
        logger.info("started");
        logger.error("failed 1");
        logger.error("failed 2", new RuntimeException("no"));
        logger.error("failed {}", 3);
        try (var context = org.apache.logging.log4j.CloseableThreadContext.putAll(Map.of("order", "7", "level", "x"))) {
            logger.error("failed 4");
        }
        logger.fatal("failed 5");
    }
}
